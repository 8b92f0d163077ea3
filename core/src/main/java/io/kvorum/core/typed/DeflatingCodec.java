package io.kvorum.core.typed;

import java.util.Arrays;
import java.util.Objects;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/** Puts one byte before what another codec encodes, and deflates it where that pays. Immutable. */
final class DeflatingCodec<T> implements Codec<T> {
    static final int MAX_LENGTH = 512 << 20;

    private static final int HEADER = 1;
    private static final byte PLAIN = 0;
    private static final byte DEFLATED = 1; // the zlib format, whose checksum finds damage
    private static final int FIRST_GUESS = 4;

    private final Codec<T> inner;
    private final int minLength;
    private final int maxLength;

    DeflatingCodec(Codec<T> inner, int minLength, int maxLength) {
        if (minLength < 0) {
            throw new IllegalArgumentException("minLength must be at least 0: " + minLength);
        }
        if (maxLength < 1 || maxLength > MAX_LENGTH) {
            throw new IllegalArgumentException("maxLength must be 1 to " + MAX_LENGTH + ": " + maxLength);
        }
        this.inner = Objects.requireNonNull(inner, "inner");
        this.minLength = minLength;
        this.maxLength = maxLength;
    }

    @Override
    public byte[] encode(T object) {
        byte[] plain = inner.encode(object);
        if (plain.length > maxLength) {
            throw new IllegalArgumentException(
                    "an encoded value must have at most " + maxLength + " bytes: " + plain.length);
        }
        byte[] target = new byte[HEADER + plain.length];
        int length = plain.length < minLength ? 0 : deflate(plain, target);
        if (length > 0) {
            target[0] = DEFLATED;
            return Arrays.copyOf(target, HEADER + length);
        }
        target[0] = PLAIN;
        System.arraycopy(plain, 0, target, HEADER, plain.length);
        return target;
    }

    /** Returns how long it became, or 0 if it did not become shorter. */
    private static int deflate(byte[] plain, byte[] target) {
        if (plain.length < 2) {
            return 0;
        }
        Deflater deflater = new Deflater();
        try {
            deflater.setInput(plain);
            deflater.finish();
            int length = deflater.deflate(target, HEADER, plain.length - 1);
            return deflater.finished() ? length : 0;
        } finally {
            deflater.end();
        }
    }

    @Override
    public T decode(byte[] bytes) {
        if (bytes.length < HEADER) {
            throw new MalformedValueException("a compressed value must have at least a byte: 0");
        }
        byte[] plain = switch (bytes[0]) {
            case PLAIN -> Arrays.copyOfRange(bytes, HEADER, bytes.length);
            case DEFLATED -> inflate(bytes);
            default -> throw new MalformedValueException("a compressed value must begin with 0 or 1");
        };
        if (plain.length > maxLength) {
            throw tooLong();
        }
        return inner.decode(plain);
    }

    private byte[] inflate(byte[] bytes) {
        int length = bytes.length - HEADER;
        Inflater inflater = new Inflater();
        try {
            inflater.setInput(bytes, HEADER, length);
            byte[] plain = new byte[(int) Math.min(maxLength, Math.max(64, (long) FIRST_GUESS * length))];
            int filled = 0;
            while (!inflater.finished()) {
                if (filled == plain.length) {
                    plain = longer(inflater, plain);
                }
                int more = inflater.inflate(plain, filled, plain.length - filled);
                filled += more;
                if (more == 0 && !inflater.finished()) {
                    throw new MalformedValueException("a compressed value must be whole: it ends early");
                }
            }
            if (inflater.getRemaining() > 0) {
                throw new MalformedValueException(
                        "a compressed value must be whole: " + inflater.getRemaining() + " bytes too many");
            }
            return Arrays.copyOf(plain, filled);
        } catch (DataFormatException e) {
            throw new MalformedValueException("a compressed value must be in the zlib format", e);
        } finally {
            inflater.end();
        }
    }

    /** Returns a longer array with the same content, or one that is one byte too long to see whether more comes. */
    private byte[] longer(Inflater inflater, byte[] full) throws DataFormatException {
        if (full.length < maxLength) {
            return Arrays.copyOf(full, (int) Math.min(maxLength, 2L * full.length));
        }
        int more = inflater.inflate(new byte[1]);
        if (more > 0) {
            throw tooLong();
        }
        return full;
    }

    private MalformedValueException tooLong() {
        return new MalformedValueException("an inflated value must have at most " + maxLength + " bytes: it has more");
    }
}
