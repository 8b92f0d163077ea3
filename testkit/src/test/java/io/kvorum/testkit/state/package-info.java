/** Clusters whose nodes replicate a state of the test's, that of the guide, instead of a key-value store. */
package io.kvorum.testkit.state;
