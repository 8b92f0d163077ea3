package io.kvorum.core;

import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A store that is not one of ours: it has only what it must have. */
public record PlainStore(KeyValueStore store) implements KeyValueStore {
    @Override
    public <T extends @Nullable Object> T transact(int slot, Function<? super KeyOperations, ? extends T> function) {
        return store.<T>transact(slot, function);
    }

    @Override
    public <T extends @Nullable Object> T read(int slot, Function<? super KeyReads, ? extends T> function) {
        return store.<T>read(slot, function);
    }

    @Override
    public long size() {
        return store.size();
    }

    @Override
    public int countInSlot(int slot) {
        return store.countInSlot(slot);
    }

    @Override
    public void forEachInSlot(int slot, Consumer<Entry> action) {
        store.forEachInSlot(slot, action);
    }

    @Override
    public int dropSlot(int slot) {
        return store.dropSlot(slot);
    }
}
