/** The primitives wired together as an in-JVM cluster for tests and first steps. */
package io.kvorum.testkit;
