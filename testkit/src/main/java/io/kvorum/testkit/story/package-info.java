/** The story: what the library is for, played on a whole cluster in one JVM. Not exported. */
package io.kvorum.testkit.story;
