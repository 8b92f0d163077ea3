package io.kvorum.core.snapshot;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.Bytes;
import io.kvorum.core.FixedClock;
import io.kvorum.core.KeyFilter;
import io.kvorum.core.LocalStore;
import io.kvorum.core.Mutation;
import io.kvorum.core.Replicas;
import io.kvorum.core.ScanCursor;
import io.kvorum.core.StoreSettings;
import io.kvorum.core.engine.Checksum;
import io.kvorum.core.engine.ContentsScan;
import io.kvorum.core.engine.MutationWriter;
import io.kvorum.replication.Restoration;
import io.kvorum.slots.MalformedTextException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;

/**
 * What reads bytes or text from somewhere else. Each must end, either with what it read or with the exception that it
 * promises, whatever it is given; {@link #run} throws {@link AssertionError}, or whatever the code throws, if one does
 * not. For {@link FuzzRegressionTest} and for a fuzzer.
 */
enum FuzzTarget {
    /** {@link Snapshots#load}: a refusal leaves the store as it was, and what is loaded can be written again. */
    SNAPSHOT {
        @Override
        void run(byte[] input) {
            load(input);
            load(resummedSnapshot(input));
        }

        private static void load(byte[] input) {
            LocalStore store = store();
            store.set(Bytes.bytes("{t}before"), Bytes.bytes("1"));
            long digest = store.digest();
            try {
                SnapshotSummary summary = Snapshots.load(store, new ByteArrayInputStream(input), LIMITS);
                LocalStore again = store();
                again.set(Bytes.bytes("{t}before"), Bytes.bytes("1"));
                byte[] rewritten = SnapshotsTest.snapshot(store, summary.slots(), 100);
                Snapshots.load(again, new ByteArrayInputStream(rewritten), LIMITS.withMaxBytes(1 << 20));
                assertEquals(store.digest(), again.digest());
                assertTrue(store.size() <= summary.entries() + 1);
                assertEquals(input.length, summary.bytes());
            } catch (SnapshotFormatException e) {
                assertEquals(digest, store.digest());
                assertTrue(e.position() >= 0 && e.position() <= input.length, e::toString);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
    },

    /** {@link Mutation#readAll}: what is read has no other encoding. */
    CHANGE {
        @Override
        void run(byte[] input) {
            List<Mutation> mutations;
            try {
                mutations = Mutation.readAll(Unpooled.wrappedBuffer(input));
            } catch (IllegalArgumentException expected) {
                return;
            }
            ByteBuf encoded = Unpooled.buffer();
            for (Mutation mutation : mutations) {
                if (mutation instanceof Mutation.Put put) {
                    MutationWriter.put(
                            encoded, put.key(), put.entry().value(), put.entry().deadline());
                } else {
                    MutationWriter.delete(encoded, mutation.key());
                }
            }
            assertEquals(Unpooled.wrappedBuffer(input), encoded);
        }
    },

    /** A full sync: a refusal leaves the store as it was, and what is loaded can be sent on. */
    FULL_SYNC {
        @Override
        void run(byte[] input) {
            restore(input);
            ByteBuf buffer = Unpooled.copiedBuffer(input);
            resumChunks(buffer, 0);
            restore(buffer.array());
        }

        private static void restore(byte[] input) {
            LocalStore store = store();
            long digest = store.digest();
            Restoration restoration = store.replicatedState().restore();
            try {
                restoration.load(Unpooled.wrappedBuffer(input));
            } catch (IllegalArgumentException expected) {
                restoration.abort();
                assertEquals(digest, store.digest());
                return;
            }
            restoration.complete();
            LocalStore again = store();
            Replicas.load(again, Replicas.chunks(store, 100));
            assertEquals(store.digest(), again.digest());
        }
    },

    /** {@link ScanCursor#parse}: a cursor has one text. */
    CURSOR {
        @Override
        void run(byte[] input) {
            String text = new String(input, UTF_8);
            try {
                assertEquals(text, ScanCursor.parse(text).toString());
            } catch (MalformedTextException e) {
                assertTrue(e.position() >= 0 && e.position() <= text.length(), e::toString);
            }
        }
    },

    /** {@link KeyFilter#glob}: the pattern up to the first zero byte, then a key; compared with a plainer matcher. */
    GLOB {
        @Override
        void run(byte[] input) {
            int end = 0;
            while (end < input.length && input[end] != 0) {
                end++;
            }
            String pattern = new String(input, 0, end, UTF_8);
            byte[] key = Arrays.copyOfRange(input, Math.min(end + 1, input.length), input.length);
            KeyFilter filter;
            try {
                filter = KeyFilter.glob(pattern);
            } catch (MalformedTextException e) {
                assertTrue(e.position() >= 0 && e.position() <= pattern.length(), e::toString);
                return;
            }
            boolean accepted;
            try {
                accepted = filter.accepts(key);
            } catch (IllegalArgumentException tooManySteps) {
                return;
            }
            if ((long) pattern.length() * key.length < 100_000) {
                assertEquals(PlainGlob.matches(pattern.getBytes(UTF_8), key), accepted);
            }
        }
    };

    private static final SnapshotLimits LIMITS = new SnapshotLimits(1 << 16, 1 << 10, 1 << 14, 1_000, 1 << 17);

    abstract void run(byte[] input);

    private static LocalStore store() {
        return new LocalStore(StoreSettings.defaults().withStripes(1), 7, new FixedClock(0));
    }

    /** Mends the checksums of a snapshot, which chance would not hit, as far as its lengths can be followed. */
    private static byte[] resummedSnapshot(byte[] input) {
        ByteBuf buffer = Unpooled.copiedBuffer(input);
        if (input.length < SnapshotFormat.FIXED_HEADER) {
            return input;
        }
        int ranges = buffer.getUnsignedShort(SnapshotFormat.FIXED_HEADER - Short.BYTES);
        int header = SnapshotFormat.FIXED_HEADER + ranges * SnapshotFormat.RANGE;
        if (header + Integer.BYTES > input.length) {
            return input;
        }
        buffer.setInt(header, Checksum.of(buffer, 0, header));
        int end = resumChunks(buffer, header + Integer.BYTES) + Integer.BYTES + SnapshotFormat.TOTALS;
        if (end + Integer.BYTES <= input.length) {
            buffer.setInt(end, Checksum.of(buffer, 0, end));
        }
        return buffer.array();
    }

    /** Returns where no further chunk begins. */
    private static int resumChunks(ByteBuf buffer, int from) {
        int index = from;
        while (buffer.writerIndex() - index >= ContentsScan.CHUNK_HEADER) {
            int length = buffer.getInt(index);
            if (length < 1 || length > buffer.writerIndex() - index - ContentsScan.CHUNK_HEADER) {
                break;
            }
            buffer.setInt(index + Integer.BYTES, Checksum.of(buffer, index + ContentsScan.CHUNK_HEADER, length));
            index += ContentsScan.CHUNK_HEADER + length;
        }
        return index;
    }

    /** Globs by a table of all beginnings of the pattern and the key, for a pattern that was accepted. */
    private static final class PlainGlob {
        private PlainGlob() {}

        static boolean matches(byte[] pattern, byte[] key) {
            boolean[] reached = new boolean[key.length + 1]; // by the pattern so far, which beginnings of the key
            reached[0] = true;
            int at = 0;
            while (at < pattern.length) {
                int next = partEnd(pattern, at);
                boolean[] further = new boolean[key.length + 1];
                for (int i = 0; i <= key.length; i++) {
                    if (pattern[at] == '*') {
                        further[i] = reached[i] || (i > 0 && further[i - 1]);
                    } else {
                        further[i] = i > 0 && reached[i - 1] && stands(pattern, at, next, key[i - 1]);
                    }
                }
                reached = further;
                at = next;
            }
            return reached[key.length];
        }

        private static int partEnd(byte[] pattern, int start) {
            if (pattern[start] == '\\') {
                return start + 2;
            }
            int at = start + 1;
            if (pattern[start] == '[') {
                while (pattern[at] != ']') {
                    at += pattern[at] == '\\' ? 2 : 1;
                }
                at++;
            }
            return at;
        }

        private static boolean stands(byte[] pattern, int from, int to, byte b) {
            boolean inverted = pattern[from] == '[' && pattern[from + 1] == '^';
            return switch (pattern[from]) {
                case '?' -> true;
                case '\\' -> pattern[from + 1] == b;
                case '[' -> inMembers(pattern, from + (inverted ? 2 : 1), to - 1, b & 0xff) != inverted;
                default -> pattern[from] == b;
            };
        }

        private static boolean inMembers(byte[] pattern, int from, int to, int b) {
            int at = from;
            boolean found = false;
            while (at < to) {
                at += pattern[at] == '\\' ? 1 : 0;
                int first = pattern[at++] & 0xff;
                int last = first;
                if (at + 1 < to && pattern[at] == '-') {
                    at++;
                    at += pattern[at] == '\\' ? 1 : 0;
                    last = pattern[at++] & 0xff;
                }
                found |= first <= b && b <= last;
            }
            return found;
        }
    }
}
