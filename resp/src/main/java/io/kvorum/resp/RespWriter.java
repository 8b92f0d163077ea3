package io.kvorum.resp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes answers in either protocol. What the older one lacks, such as maps, it gets in the form that the server gives
 * it. An answer can be taken back as long as it was not sent.
 *
 * <p>Confined to one thread.
 */
final class RespWriter {
    private static final int INITIAL = 1 << 10;
    private static final int MAX_KEPT = 64 << 10;
    private static final int MAX_DIGITS = 20;
    private static final byte[] OK = "+OK\r\n".getBytes(ISO_8859_1);
    private static final byte[] NIL = "_\r\n".getBytes(ISO_8859_1);
    private static final byte[] NO_BULK = "$-1\r\n".getBytes(ISO_8859_1);

    private byte[] buffer = new byte[INITIAL];
    private int size;
    private long sent;
    private int protocol;

    RespWriter(int protocol) {
        this.protocol = protocol;
    }

    void setProtocol(int value) {
        protocol = value;
    }

    /** {@return how many bytes wait to be sent} */
    int size() {
        return size;
    }

    /** {@return how many bytes were written and not taken back, those that were sent among them} */
    long position() {
        return sent + size;
    }

    /** Takes back what was written beyond a position, as far as it was not sent. */
    void truncate(long position) {
        size = (int) Math.min(size, Math.max(position - sent, 0));
    }

    /** {@return what was written, which is sent now} */
    byte[] take() {
        byte[] taken = Arrays.copyOf(buffer, size);
        clear();
        return taken;
    }

    /** {@return the array that holds the first {@link #size} bytes} */
    byte[] array() {
        return buffer;
    }

    void clear() {
        sent += size;
        size = 0;
        if (buffer.length > MAX_KEPT) {
            buffer = new byte[INITIAL];
        }
    }

    void ok() {
        raw(OK);
    }

    void simple(String text) {
        put('+');
        line(text);
    }

    /** Writes an error, its code in front. */
    void error(String error) {
        put('-');
        raw(error.replace('\r', ' ').replace('\n', ' ').getBytes(ISO_8859_1)); // the bytes of the client's own words
        end();
    }

    void integer(long number) {
        header(':', number);
    }

    void bulk(byte @Nullable [] bytes) {
        if (bytes == null) {
            nil();
            return;
        }
        header('$', bytes.length);
        raw(bytes);
        end();
    }

    void bulk(String text) {
        bulk(text.getBytes(UTF_8));
    }

    /** Writes long text: as such, where the protocol knows it. */
    void verbatim(String text) {
        byte[] bytes = text.getBytes(UTF_8);
        if (protocol == 2) {
            bulk(bytes);
            return;
        }
        header('=', bytes.length + 4L);
        raw("txt:".getBytes(ISO_8859_1));
        raw(bytes);
        end();
    }

    void nil() {
        raw(protocol == 2 ? NO_BULK : NIL);
    }

    /** Writes that there is no array. */
    void nilArray() {
        line(protocol == 2 ? "*-1" : "_");
    }

    void array(int length) {
        header('*', length);
    }

    /** Begins a map of so many keys, each followed by its value. */
    void map(int length) {
        header(protocol == 2 ? '*' : '%', protocol == 2 ? 2L * length : length);
    }

    void set(int length) {
        header(protocol == 2 ? '*' : '~', length);
    }

    /** Begins what the client did not ask for. */
    void push(int length) {
        header(protocol == 2 ? '*' : '>', length);
    }

    void bulks(List<String> texts) {
        array(texts.size());
        texts.forEach(this::bulk);
    }

    void simples(List<String> texts) {
        set(texts.size());
        texts.forEach(this::simple);
    }

    /** Writes bytes that are an answer already. */
    void raw(byte[] bytes) {
        ensure(bytes.length);
        System.arraycopy(bytes, 0, buffer, size, bytes.length);
        size += bytes.length;
    }

    private void header(char kind, long number) {
        ensure(MAX_DIGITS + 3);
        buffer[size++] = (byte) kind;
        if (number >= 0 && number < 10) {
            buffer[size++] = (byte) ('0' + number);
        } else if (number >= 10 && number < 1_000) { // as most lengths are
            if (number >= 100) {
                buffer[size++] = (byte) ('0' + number / 100);
            }
            buffer[size++] = (byte) ('0' + number / 10 % 10);
            buffer[size++] = (byte) ('0' + number % 10);
        } else {
            String digits = Long.toString(number);
            for (int i = 0; i < digits.length(); i++) {
                buffer[size++] = (byte) digits.charAt(i);
            }
        }
        buffer[size++] = '\r';
        buffer[size++] = '\n';
    }

    private void line(String text) {
        raw(text.getBytes(UTF_8));
        end();
    }

    private void put(char c) {
        ensure(1);
        buffer[size++] = (byte) c;
    }

    private void end() {
        ensure(2);
        buffer[size++] = '\r';
        buffer[size++] = '\n';
    }

    private void ensure(int more) {
        if (buffer.length - size < more) {
            buffer = Arrays.copyOf(buffer, Math.max(size + more, buffer.length * 2));
        }
    }
}
