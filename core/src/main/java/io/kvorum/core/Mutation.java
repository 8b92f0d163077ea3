package io.kvorum.core;

import io.kvorum.core.engine.MutationReader;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One effect on one key, as a {@link MutationSink} receives it: what the key is afterwards, not how it came about.
 * Applying it twice is the same as applying it once.
 *
 * <p>Immutable as long as nobody changes the arrays.
 */
public sealed interface Mutation {
    /** {@return the key that changes} */
    byte[] key();

    /**
     * The key has this value and this deadline.
     *
     * @param entry the key, the value and the deadline
     */
    record Put(Entry entry) implements Mutation {
        /** Checks the entry. */
        public Put {
            Objects.requireNonNull(entry, "entry");
        }

        @Override
        public byte[] key() {
            return entry.key();
        }
    }

    /**
     * The key does not exist.
     *
     * @param key the key
     */
    @SuppressWarnings("ArrayRecordComponent") // equality is by the bytes, see below
    record Delete(byte[] key) implements Mutation {
        /** Checks the key. */
        public Delete {
            Objects.requireNonNull(key, "key");
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Delete delete && Arrays.equals(key, delete.key);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(key);
        }

        /** {@return the size of the key, but never its bytes} */
        @Override
        public String toString() {
            return "Delete[key of " + key.length + " bytes]";
        }
    }

    /**
     * The key, if it exists, has this deadline and the value that it had.
     *
     * @param key the key
     * @param deadline the last moment at which the key exists, in milliseconds since 1970, or
     *     {@link KeyValueStore#NO_DEADLINE}
     */
    @SuppressWarnings("ArrayRecordComponent") // equality is by the bytes, see below
    record Expire(byte[] key, long deadline) implements Mutation {
        /** Checks the key. */
        public Expire {
            Objects.requireNonNull(key, "key");
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Expire expire && deadline == expire.deadline && Arrays.equals(key, expire.key);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(key) * 31 + Long.hashCode(deadline);
        }

        /** {@return the size of the key and the deadline, but never the bytes} */
        @Override
        public String toString() {
            return "Expire[key of " + key.length + " bytes, deadline " + deadline + "]";
        }
    }

    /**
     * Reads a change.
     *
     * @param change what a sink received, or the payload of a log record; borrowed: neither its indices nor its
     *     contents change
     * @return the mutations in the order in which they take effect
     * @throws IllegalArgumentException if it is not a change
     */
    static List<Mutation> readAll(ByteBuf change) {
        List<Mutation> mutations = new ArrayList<>();
        MutationReader reader = new MutationReader(change);
        while (reader.next()) {
            mutations.add(
                    switch (reader.kind()) {
                        case PUT -> new Put(new Entry(reader.key(), reader.value(), reader.deadline()));
                        case DEADLINE -> new Expire(reader.key(), reader.deadline());
                        case DELETE -> new Delete(reader.key());
                    });
        }
        return List.copyOf(mutations);
    }
}
