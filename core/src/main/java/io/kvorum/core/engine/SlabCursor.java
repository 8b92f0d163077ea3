package io.kvorum.core.engine;

import io.netty.buffer.ByteBuf;

/** A walk through the records of a slot of a {@link SlabTable}. */
final class SlabCursor implements Table.Cursor {
    /** Of how many records the headers are read before the first is used. */
    private static final int READ_AHEAD = 16;

    private final Segments segments;
    private final SlotRecords.Walk walk;
    private int ahead;

    SlabCursor(Segments segments, SlotRecords.Walk walk) {
        this.segments = segments;
        this.walk = walk;
    }

    @Override
    public boolean next() {
        if (ahead == 0) {
            readAhead();
        }
        ahead = Math.max(0, ahead - 1);
        return walk.next();
    }

    /**
     * Looks at the next records. They lie far apart, so that the processor had better fetch several at once; a check of
     * what is read keeps the compiler from dropping it.
     */
    private void readAhead() {
        ahead = Math.min(READ_AHEAD, walk.left());
        for (int i = 1; i <= ahead; i++) {
            int reference = walk.ahead(i);
            if (SlabRecord.isDead(segments.of(reference), Segments.offset(reference))) {
                throw new AssertionError("a dead record is held");
            }
        }
    }

    @Override
    public byte[] key() {
        return SlabRecord.key(segments.of(walk.current()), Segments.offset(walk.current()));
    }

    @Override
    public byte[] value() {
        return SlabRecord.value(segments.of(walk.current()), Segments.offset(walk.current()));
    }

    @Override
    public long deadline() {
        return SlabRecord.deadline(segments.of(walk.current()), Segments.offset(walk.current()));
    }

    @Override
    public void write(ByteBuf target) {
        byte[] segment = segments.of(walk.current());
        int at = Segments.offset(walk.current());
        int keyFrom = SlabRecord.keyFrom(segment, at);
        int keyLength = SlabRecord.keyLength(segment, at);
        MutationWriter.put(
                target,
                segment,
                keyFrom,
                keyLength,
                keyFrom + keyLength,
                SlabRecord.valueLength(segment, at),
                SlabRecord.deadline(segment, at));
    }

    @Override
    public void close() {
        walk.close();
    }
}
