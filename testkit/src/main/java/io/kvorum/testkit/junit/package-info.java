/** Clusters for JUnit Jupiter tests. */
package io.kvorum.testkit.junit;
