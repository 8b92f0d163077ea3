/** The programs of the guide {@code docs/testing.md}, which the build compiles and runs here. */
package io.kvorum.testkit.guide;
