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
                    reader.isPut()
                            ? new Put(new Entry(reader.key(), reader.value(), reader.deadline()))
                            : new Delete(reader.key()));
        }
        return List.copyOf(mutations);
    }
}
