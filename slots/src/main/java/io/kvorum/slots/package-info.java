/**
 * Hash slots of a Redis cluster: the slot of a key, and ranges and sets of slots.
 *
 * <p>A Redis cluster divides the space of all keys into {@value io.kvorum.slots.HashSlot#COUNT} slots. The slot of a
 * key is a checksum of its bytes, so every client and every node finds the same one without asking. Use this package to
 * route keys, to group keys that must be handled together, or to describe which slots a node serves. Which shard owns a
 * slot is the subject of {@link io.kvorum.slots.topology}.
 *
 * <h2>Where to start</h2>
 *
 * <pre>{@code
 * int slot = HashSlot.of("user:{42}:name");
 * boolean together = slot == HashSlot.of("user:{42}:mail"); // the tag alone is hashed
 *
 * SlotSet served = SlotSet.parse("0-5460,16383");
 * boolean here = served.contains(slot);
 * SlotSet elsewhere = served.complement();
 *
 * List<SlotRange> thirds = SlotRange.evenSplit(3);
 * }</pre>
 *
 * <h2>Keys</h2>
 *
 * <p>{@link io.kvorum.slots.HashSlot} takes a key as an array, a part of an array, a buffer or text. Text is hashed as
 * its UTF-8 bytes. Keys with the same hash tag share a slot, so operations on several keys can be atomic:
 * {@code order:{7}:lines} and {@code order:{7}:total} are both hashed by {@code 7}.
 * {@link io.kvorum.slots.HashSlot#ofPattern} finds the slot of all keys that match a glob pattern, if they share one.
 *
 * <h2>Sets</h2>
 *
 * <p>A {@link io.kvorum.slots.SlotSet} is immutable and takes at most 2 KiB. Its text form is that of Redis,
 * {@code 0-5460,5462}; {@link io.kvorum.slots.SlotSet#parse} also accepts spaces between ranges. A malformed text is
 * refused with its position and the broken rule.
 *
 * <h2>Cost and threads</h2>
 *
 * <p>Hashing allocates nothing. All types are immutable or stateless, and safe for use by any number of threads.
 *
 * <h2>Types by role</h2>
 *
 * <ul>
 *   <li>{@link io.kvorum.slots.HashSlot}, {@link io.kvorum.slots.Crc16}: hashing
 *   <li>{@link io.kvorum.slots.SlotRange}, {@link io.kvorum.slots.SlotSet}: slots as values
 *   <li>{@link io.kvorum.slots.MalformedTextException}: a text that cannot be parsed
 * </ul>
 */
package io.kvorum.slots;
