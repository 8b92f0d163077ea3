/** What runs the pure machines of {@link io.kvorum.replication}: drivers with threads, clocks and files. */
package io.kvorum.replication.runtime;
