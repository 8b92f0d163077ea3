/**
 * Hash slots, slot ranges and sets, identities, and the versioned cluster topology. Pure values: no threads, no clocks.
 */
package io.kvorum.slots;
