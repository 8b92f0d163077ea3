package io.kvorum.testkit.history;

import org.jspecify.annotations.Nullable;

/**
 * A read or a write of a register that holds one number, or nothing. A deletion writes {@link #ABSENT}.
 *
 * <p>Immutable.
 *
 * @param write whether it wrote {@code value}; otherwise it read it
 * @param value the number, or {@link #ABSENT}
 */
public record RegisterOperation(boolean write, long value) {
    /** The content of a register that holds nothing, as at the start. */
    public static final long ABSENT = 0;

    /** A register, as one client alone would see it. */
    public static final SequentialModel<Long, RegisterOperation> MODEL = new SequentialModel<>() {
        @Override
        public Long initial() {
            return ABSENT;
        }

        @Override
        public @Nullable Long next(Long state, RegisterOperation operation) {
            if (operation.write()) {
                return operation.value();
            }
            return state == operation.value() ? state : null;
        }
    };

    /** {@return a write of a number} */
    public static RegisterOperation write(long value) {
        return new RegisterOperation(true, value);
    }

    /** {@return a read that saw a number, or nothing} */
    public static RegisterOperation read(long value) {
        return new RegisterOperation(false, value);
    }

    /** {@return a deletion} */
    public static RegisterOperation delete() {
        return new RegisterOperation(true, ABSENT);
    }

    @Override
    public String toString() {
        String shown = value == ABSENT ? "nothing" : Long.toString(value);
        return (write ? "write of " : "read of ") + shown;
    }
}
