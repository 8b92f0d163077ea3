package io.kvorum.core.engine;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * How a record lies in its segment: its size in units with its flags, its slot, the length of the key, its place among
 * the records of its slot, the length of the value; then the key's length again if it did not fit, the deadline and the
 * references of the next and the previous record of its {@link DeadlineWheel} bucket if it has one, the key, and the
 * value.
 *
 * <p>For records that nobody is changing, except {@link #match}.
 */
final class SlabRecord {
    private static final int SIZE = 0;
    private static final int SLOT = 4;
    private static final int KEY_LENGTH = 6;
    private static final int PLACE = 8;
    private static final int VALUE_LENGTH = 12;
    private static final int FIXED = 16;
    private static final int LONG_KEY_BYTES = Integer.BYTES;
    private static final int DEADLINE_BYTES = Long.BYTES + 2 * Integer.BYTES;

    /** What stands for the key's length if that does not fit into two bytes. */
    private static final int LONG_KEY = 0xffff;

    private static final int DEAD = 1 << 31;
    private static final int HAS_DEADLINE = 1 << 30;
    private static final int UNITS = HAS_DEADLINE - 1;

    private static final VarHandle SHORT = view(short[].class);
    private static final VarHandle INT = view(int[].class);
    private static final VarHandle LONG = view(long[].class);

    private SlabRecord() {}

    private static VarHandle view(Class<?> arrayClass) {
        return MethodHandles.byteArrayViewVarHandle(arrayClass, ByteOrder.nativeOrder());
    }

    /** Returns the size of a record, a whole number of units. */
    static int bytesFor(int keyLength, int valueLength, boolean timed) {
        int bytes = FIXED
                + (keyLength >= LONG_KEY ? LONG_KEY_BYTES : 0)
                + (timed ? DEADLINE_BYTES : 0)
                + keyLength
                + valueLength;
        return bytes + Segments.UNIT - 1 & -Segments.UNIT;
    }

    /**
     * Returns where the key begins if the record has this one, or -1. The record may be changed meanwhile: each field
     * is read once, and each place compared with the segment before it is read.
     */
    static int match(byte[] segment, int at, byte[] key) {
        if (at + FIXED > segment.length) {
            return -1;
        }
        int length = (short) SHORT.get(segment, at + KEY_LENGTH) & 0xffff;
        int from = at + FIXED;
        if (length == LONG_KEY) {
            if (from + LONG_KEY_BYTES > segment.length) {
                return -1;
            }
            length = (int) INT.get(segment, from);
            from += LONG_KEY_BYTES;
        }
        if (length != key.length) {
            return -1;
        }
        if (((int) INT.get(segment, at + SIZE) & HAS_DEADLINE) != 0) {
            from += DEADLINE_BYTES;
        }
        return from + length <= segment.length && Arrays.equals(segment, from, from + length, key, 0, length)
                ? from
                : -1;
    }

    /** Returns the deadline of a record; where its key begins tells whether it has one. */
    static long deadline(byte[] segment, int at, int keyFrom) {
        return keyFrom - at >= FIXED + DEADLINE_BYTES
                ? (long) LONG.get(segment, keyFrom - DEADLINE_BYTES)
                : Table.NO_DEADLINE;
    }

    static long deadline(byte[] segment, int at) {
        return deadline(segment, at, keyFrom(segment, at));
    }

    /** Returns the place of a record among those of its slot. */
    static int place(byte[] segment, int at) {
        return (int) INT.get(segment, at + PLACE);
    }

    static void setPlace(byte[] segment, int at, int place) {
        INT.set(segment, at + PLACE, place);
    }

    static int slotIndex(byte[] segment, int at) {
        return (short) SHORT.get(segment, at + SLOT);
    }

    static int bytes(byte[] segment, int at) {
        return ((int) INT.get(segment, at + SIZE) & UNITS) * Segments.UNIT;
    }

    /** Returns the size that a record would have if it had no bytes to spare. */
    static int bytesUsed(byte[] segment, int at) {
        return bytesFor(keyLength(segment, at), valueLength(segment, at), hasDeadline(segment, at));
    }

    static boolean isDead(byte[] segment, int at) {
        return ((int) INT.get(segment, at + SIZE) & DEAD) != 0;
    }

    static boolean hasDeadline(byte[] segment, int at) {
        return ((int) INT.get(segment, at + SIZE) & HAS_DEADLINE) != 0;
    }

    static int keyLength(byte[] segment, int at) {
        return hasLongKey(segment, at)
                ? (int) INT.get(segment, at + FIXED)
                : (short) SHORT.get(segment, at + KEY_LENGTH) & 0xffff;
    }

    static int keyFrom(byte[] segment, int at) {
        return deadlineFrom(segment, at) + (hasDeadline(segment, at) ? DEADLINE_BYTES : 0);
    }

    static int valueLength(byte[] segment, int at) {
        return (int) INT.get(segment, at + VALUE_LENGTH);
    }

    static byte[] key(byte[] segment, int at) {
        int from = keyFrom(segment, at);
        return Arrays.copyOfRange(segment, from, from + keyLength(segment, at));
    }

    static byte[] value(byte[] segment, int at) {
        int from = keyFrom(segment, at) + keyLength(segment, at);
        return Arrays.copyOfRange(segment, from, from + valueLength(segment, at));
    }

    /** Returns the next record in the bucket of a record with a deadline. */
    static int nextDue(byte[] segment, int at) {
        return (int) INT.get(segment, deadlineFrom(segment, at) + Long.BYTES);
    }

    static void setNextDue(byte[] segment, int at, int reference) {
        INT.set(segment, deadlineFrom(segment, at) + Long.BYTES, reference);
    }

    static int previousDue(byte[] segment, int at) {
        return (int) INT.get(segment, deadlineFrom(segment, at) + Long.BYTES + Integer.BYTES);
    }

    static void setPreviousDue(byte[] segment, int at, int reference) {
        INT.set(segment, deadlineFrom(segment, at) + Long.BYTES + Integer.BYTES, reference);
    }

    /** Writes a record without a place, a value and a deadline. */
    static void create(byte[] segment, int at, int bytes, int slotIndex, byte[] key) {
        INT.set(segment, at + SIZE, bytes / Segments.UNIT);
        SHORT.set(segment, at + SLOT, (short) slotIndex);
        SHORT.set(segment, at + KEY_LENGTH, (short) Math.min(key.length, LONG_KEY));
        INT.set(segment, at + VALUE_LENGTH, 0);
        if (key.length >= LONG_KEY) {
            INT.set(segment, at + FIXED, key.length);
        }
        System.arraycopy(key, 0, segment, deadlineFrom(segment, at), key.length);
    }

    /** Copies a record to another place of another size, as much as fits of it. */
    static void copy(byte[] from, int at, byte[] to, int toAt, int bytes) {
        System.arraycopy(from, at, to, toAt, Math.min(bytes, bytes(from, at)));
        INT.set(to, toAt + SIZE, bytes / Segments.UNIT | ((int) INT.get(from, at + SIZE) & HAS_DEADLINE));
    }

    static void setValue(byte[] segment, int at, byte[] value) {
        INT.set(segment, at + VALUE_LENGTH, value.length);
        int from = keyFrom(segment, at) + keyLength(segment, at);
        System.arraycopy(value, 0, segment, from, value.length);
    }

    /** Makes the value empty, so that what moves key and value need not move it. */
    static void dropValue(byte[] segment, int at) {
        INT.set(segment, at + VALUE_LENGTH, 0);
    }

    /** Sets the deadline of a record that has one. */
    static void setDeadline(byte[] segment, int at, long deadline) {
        LONG.set(segment, deadlineFrom(segment, at), deadline);
    }

    /** Gives a deadline, which is in no bucket yet, to a record that has room for it. */
    static void addDeadline(byte[] segment, int at, long deadline) {
        int from = deadlineFrom(segment, at);
        System.arraycopy(segment, from, segment, from + DEADLINE_BYTES, keyAndValue(segment, at));
        INT.set(segment, at + SIZE, (int) INT.get(segment, at + SIZE) | HAS_DEADLINE);
        LONG.set(segment, from, deadline);
    }

    /** Takes the deadline out of a record that has one. */
    static void removeDeadline(byte[] segment, int at) {
        int from = deadlineFrom(segment, at);
        System.arraycopy(segment, from + DEADLINE_BYTES, segment, from, keyAndValue(segment, at));
        INT.set(segment, at + SIZE, (int) INT.get(segment, at + SIZE) & ~HAS_DEADLINE);
    }

    private static int keyAndValue(byte[] segment, int at) {
        return keyLength(segment, at) + valueLength(segment, at);
    }

    static void setDead(byte[] segment, int at) {
        INT.set(segment, at + SIZE, (int) INT.get(segment, at + SIZE) | DEAD);
    }

    private static boolean hasLongKey(byte[] segment, int at) {
        return ((short) SHORT.get(segment, at + KEY_LENGTH) & 0xffff) == LONG_KEY;
    }

    private static int deadlineFrom(byte[] segment, int at) {
        return at + FIXED + (hasLongKey(segment, at) ? LONG_KEY_BYTES : 0);
    }
}
