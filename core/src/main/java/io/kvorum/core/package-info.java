/** In-process sharded key-value store, and the store joined with a replication log and a role. */
package io.kvorum.core;
