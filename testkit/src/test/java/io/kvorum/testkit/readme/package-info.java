/** The programs of the README, written as its readers would, who need not mark what may be null. */
@org.jspecify.annotations.NullUnmarked
package io.kvorum.testkit.readme;
