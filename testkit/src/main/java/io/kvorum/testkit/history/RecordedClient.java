package io.kvorum.testkit.history;

import static java.util.Objects.requireNonNull;

import io.kvorum.core.KeyValueStore;
import io.kvorum.slots.topology.RefusedException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A client of a store that writes down what it does and sees in a {@link History}. What the store throws reaches the
 * caller as it is.
 *
 * <p>For use by one thread at a time, as one client does one thing after another.
 */
public final class RecordedClient {
    private final History history;
    private final String name;
    private final KeyValueStore store;

    RecordedClient(History history, String name, KeyValueStore store) {
        this.history = history;
        this.name = requireNonNull(name, "name");
        this.store = requireNonNull(store, "store");
    }

    /** {@return its name} */
    public String name() {
        return name;
    }

    /**
     * Reads a key.
     *
     * @param key the key
     * @return its value, or null if there is none
     */
    public byte @Nullable [] get(byte[] key) {
        long invoked = history.now();
        byte[] value = store.get(key);
        history.add(name, key, RegisterOperation.read(history.number(value)), invoked, history.now());
        return value;
    }

    /**
     * Writes a key. Linearizability is checked much faster if each value is written to a key once only.
     *
     * @param key the key
     * @param value the value, which the history keeps
     */
    public void set(byte[] key, byte[] value) {
        write(key, RegisterOperation.write(history.number(value)), () -> {
            store.set(key, value);
            return true;
        });
    }

    /**
     * Deletes a key.
     *
     * @param key the key
     * @return whether there was a value
     */
    public boolean delete(byte[] key) {
        return write(key, RegisterOperation.delete(), () -> store.delete(key));
    }

    private <T> T write(byte[] key, RegisterOperation operation, Supplier<T> action) {
        long invoked = history.now();
        T result;
        try {
            result = action.get();
        } catch (RefusedException e) { // nothing was done
            throw e;
        } catch (Throwable e) { // it may have been done, or may yet be
            history.add(name, key, operation, invoked, Call.NEVER);
            throw e;
        }
        history.add(name, key, operation, invoked, history.now());
        return result;
    }

    /** {@return its name} */
    @Override
    public String toString() {
        return name;
    }
}
