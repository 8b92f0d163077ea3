package io.kvorum.core.engine;

/** Whether the parts of a {@link SlabTable} agree. */
final class SlabTableChecks {
    private SlabTableChecks() {}

    /** Throws if the index, the slots, the wheel and the segments do not agree. */
    static void check(SlabTable table) {
        int indexed = 0;
        int timed = 0;
        long liveBytes = 0;
        long liveKeysAndValues = 0;
        for (long entry : table.entries) {
            if (entry == Segments.NONE) {
                continue;
            }
            indexed++;
            int reference = (int) entry;
            byte[] segment = table.segments.of(reference);
            int at = Segments.offset(reference);
            byte[] key = SlabRecord.key(segment, at);
            boolean hasDeadline = SlabRecord.hasDeadline(segment, at);
            int bytes = SlabRecord.bytes(segment, at);
            liveBytes += bytes;
            liveKeysAndValues += key.length + SlabRecord.valueLength(segment, at);
            require(
                    (int) table.find(table.hash.of(key, 0, key.length), key) == reference,
                    "an entry is not found by its key");
            require(!SlabRecord.isDead(segment, at), "a dead record is in the index");
            require(
                    bytes >= SlabRecord.bytesFor(key.length, SlabRecord.valueLength(segment, at), hasDeadline),
                    "a record is too small");
            if (hasDeadline) {
                timed++;
            }
        }
        require(table.arrays == table.segments.arrays(), "readers look at other segments than there are");
        require(indexed == table.size, "the index has another size than the table");
        require(timed == table.wheel.size(), "the wheel has another size than the table");
        table.wheel.checkInvariants();
        table.slotRecords.checkInvariants(table.size);
        require(liveKeysAndValues == table.payload, "keys and values have other lengths than the table says");
        table.segments.checkInvariants(liveBytes);
    }

    /** Returns how many bytes of memory the index, the slots and the segments hold. */
    static long capacity(SlabTable table) {
        return (long) table.entries.length * Long.BYTES + table.slotRecords.capacity() + table.segments.capacity();
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }
}
