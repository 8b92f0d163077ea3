/** JMH benchmarks of the hot paths, with the peers measured beside ours in the same run. */
package io.kvorum.benchmarks;
