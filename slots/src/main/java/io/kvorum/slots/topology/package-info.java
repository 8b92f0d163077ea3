/**
 * The versioned cluster topology, slot plans, identities, epochs and the members of a shard. Pure values: no threads,
 * no clocks.
 */
package io.kvorum.slots.topology;
