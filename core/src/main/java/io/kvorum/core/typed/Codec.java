package io.kvorum.core.typed;

import io.kvorum.core.KeyOperations;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Function;

/**
 * Turns objects into bytes and back, for the keys or for the values of a {@link TypedStore}.
 *
 * <p>Decoding the bytes of an object must give an equal object. A codec of keys must also encode equal keys to the same
 * bytes, in every JVM; so must a codec of values if operations that compare values are used, since they compare bytes.
 * Arrays that are passed in are borrowed for the call, arrays that are returned belong to the caller.
 *
 * <p>Bytes that a codec does not understand are a {@link MalformedValueException}, or another
 * {@link IllegalArgumentException}; so is an object that it cannot encode. Messages never quote keys or values.
 *
 * <p>A codec may be called while the store holds a lock: it must be quick and must not call a store. It must be safe
 * for use by any number of threads.
 *
 * <p>A codec of a record, for an application that owns both ends:
 *
 * <pre>{@code
 * record Point(int x, int y) {}
 *
 * Codec<Point> points = Codec.of(
 *         point -> ByteBuffer.allocate(8).putInt(point.x()).putInt(point.y()).array(),
 *         bytes -> {
 *             MalformedValueException.requireLength(8, bytes);
 *             ByteBuffer buffer = ByteBuffer.wrap(bytes);
 *             return new Point(buffer.getInt(), buffer.getInt());
 *         });
 * }</pre>
 *
 * @param <T> the type of the objects
 */
public interface Codec<T> {
    /**
     * {@return the bytes of an object}
     *
     * @param object the object
     * @throws IllegalArgumentException if it has none
     */
    byte[] encode(T object);

    /**
     * {@return the object of some bytes}
     *
     * @param bytes the bytes
     * @throws IllegalArgumentException if they are not those of an object; mostly a {@link MalformedValueException}
     */
    T decode(byte[] bytes);

    /**
     * {@return a codec made of two functions, which must keep the contract of this interface}
     *
     * @param encode makes the bytes of an object
     * @param decode makes the object of some bytes
     * @param <T> the type of the objects
     */
    static <T> Codec<T> of(Function<? super T, byte[]> encode, Function<byte[], ? extends T> decode) {
        Objects.requireNonNull(encode, "encode");
        Objects.requireNonNull(decode, "decode");
        return new Codec<>() {
            @Override
            public byte[] encode(T object) {
                return encode.apply(object);
            }

            @Override
            public T decode(byte[] bytes) {
                return decode.apply(bytes);
            }
        };
    }

    /** {@return the bytes themselves; copied both ways, so never shared} */
    static Codec<byte[]> bytes() {
        return Codecs.BYTES;
    }

    /**
     * {@return text as UTF-8} A text with half of a surrogate pair has no UTF-8 and is refused, and so are bytes that
     * are not UTF-8.
     */
    static Codec<String> text() {
        return Codecs.TEXT;
    }

    /** {@return 32 bits, the highest byte first} */
    static Codec<Integer> int32() {
        return Codecs.INT32;
    }

    /** {@return 64 bits, the highest byte first} */
    static Codec<Long> int64() {
        return Codecs.INT64;
    }

    /**
     * {@return numbers in decimal, as {@link KeyOperations#increment} reads and writes them} Bytes in any other form,
     * such as a number with a leading zero, are refused.
     */
    static Codec<Long> decimal() {
        return Codecs.DECIMAL;
    }

    /** {@return 128 bits, the highest byte first} */
    static Codec<UUID> uuid() {
        return Codecs.UUIDS;
    }

    /**
     * {@return this codec with its output deflated where that makes it shorter} As {@link #compressed(int, int)}, for
     * encoded objects of at most 512 MiB.
     *
     * @param minLength the fewest bytes that are worth deflating; at least 0
     * @throws IllegalArgumentException if {@code minLength} is negative
     */
    default Codec<T> compressed(int minLength) {
        return compressed(minLength, DeflatingCodec.MAX_LENGTH);
    }

    /**
     * {@return this codec with its output deflated where that makes it shorter} A leading byte tells whether it is
     * deflated, so the new codec does not decode the output of this one. The deflated bytes depend on the Java runtime,
     * so do not use the result for keys, nor for values that are compared across runtimes.
     *
     * @param minLength the fewest bytes that are worth deflating; at least 0
     * @param maxLength the most bytes that an encoded object has: longer ones are refused, and so are bytes that would
     *     inflate to more, without taking more memory than about twice that; at least 1
     * @throws IllegalArgumentException if a length is out of range
     */
    default Codec<T> compressed(int minLength, int maxLength) {
        return new DeflatingCodec<>(this, minLength, maxLength);
    }
}
