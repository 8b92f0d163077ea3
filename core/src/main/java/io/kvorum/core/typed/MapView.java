package io.kvorum.core.typed;

import io.kvorum.core.SetOptions;
import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentMap;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A typed store as a map. An object of another type than the keys or values have is in no such map; since types are not
 * known at run time, that is what a codec refuses by a {@link ClassCastException}.
 */
final class MapView<K, V> extends AbstractMap<K, V> implements ConcurrentMap<K, V> {
    private static final SetOptions ABSENT = SetOptions.defaults().withCondition(SetOptions.Condition.IF_ABSENT);
    private static final SetOptions PRESENT = SetOptions.defaults().withCondition(SetOptions.Condition.IF_PRESENT);

    private final TypedStore<K, V> store;
    private final Set<Map.Entry<K, V>> entries = new Entries();

    MapView(TypedStore<K, V> store) {
        this.store = store;
    }

    @SuppressWarnings("unchecked") // the codec tells
    private K key(Object key) {
        return (K) Objects.requireNonNull(key, "key");
    }

    @SuppressWarnings("unchecked") // the codec tells
    private V value(Object value) {
        return (V) value;
    }

    @Override
    public @Nullable V get(Object key) {
        try {
            return store.get(key(key));
        } catch (ClassCastException e) {
            return null;
        }
    }

    @Override
    public V getOrDefault(Object key, V defaultValue) {
        V value = get(key);
        return value == null ? defaultValue : value;
    }

    @Override
    public boolean containsKey(Object key) {
        try {
            return store.exists(key(key));
        } catch (ClassCastException e) {
            return false;
        }
    }

    @Override
    public int size() {
        return (int) Math.min(Integer.MAX_VALUE, store.size());
    }

    @Override
    public void clear() {
        store.clear();
    }

    @Override
    public @Nullable V put(K key, V value) {
        return store.getAndSet(key, value);
    }

    @Override
    public @Nullable V remove(Object key) {
        try {
            return store.getAndDelete(key(key));
        } catch (ClassCastException e) {
            return null;
        }
    }

    @Override
    public boolean remove(Object key, @Nullable Object value) {
        Objects.requireNonNull(key);
        try {
            return value != null && store.deleteIfEqual(key(key), value(value));
        } catch (ClassCastException e) {
            return false;
        }
    }

    @Override
    public @Nullable V putIfAbsent(K key, V value) {
        return store.getAndSet(key, value, ABSENT).previous();
    }

    @Override
    public boolean replace(K key, V oldValue, V newValue) {
        return store.setIfEqual(key, oldValue, newValue);
    }

    @Override
    public @Nullable V replace(K key, V value) {
        return store.getAndSet(key, value, PRESENT).previous();
    }

    @Override
    public @Nullable V computeIfAbsent(K key, Function<? super K, ? extends @Nullable V> function) {
        Objects.requireNonNull(function);
        return store.compute(key, value -> value == null ? function.apply(key) : value);
    }

    @Override
    public @Nullable V computeIfPresent(K key, BiFunction<? super K, ? super V, ? extends @Nullable V> function) {
        Objects.requireNonNull(function);
        return store.compute(key, value -> value == null ? null : function.apply(key, value));
    }

    @Override
    public @Nullable V compute(K key, BiFunction<? super K, ? super @Nullable V, ? extends @Nullable V> function) {
        Objects.requireNonNull(function);
        return store.compute(key, value -> function.apply(key, value));
    }

    @Override
    public @Nullable V merge(K key, V value, BiFunction<? super V, ? super V, ? extends @Nullable V> function) {
        Objects.requireNonNull(function);
        Objects.requireNonNull(value);
        return store.compute(key, present -> present == null ? value : function.apply(present, value));
    }

    @Override
    public Set<Map.Entry<K, V>> entrySet() {
        return entries;
    }

    private final class Entries extends AbstractSet<Map.Entry<K, V>> {
        @Override
        public int size() {
            return MapView.this.size();
        }

        @Override
        public void clear() {
            MapView.this.clear();
        }

        @Override
        public boolean contains(@Nullable Object object) {
            return object instanceof Map.Entry<?, ?> entry
                    && entry.getKey() != null
                    && entry.getValue() != null
                    && entry.getValue().equals(get(entry.getKey()));
        }

        @Override
        public boolean remove(@Nullable Object object) {
            return object instanceof Map.Entry<?, ?> entry
                    && entry.getKey() != null
                    && MapView.this.remove(entry.getKey(), entry.getValue());
        }

        @Override
        public Iterator<Map.Entry<K, V>> iterator() {
            return new EntryIterator();
        }
    }

    private final class EntryIterator implements Iterator<Map.Entry<K, V>> {
        private final Iterator<K> keys = store.keys().iterator();
        private Map.@Nullable Entry<K, V> next;
        private @Nullable K last;

        @Override
        public boolean hasNext() {
            while (next == null && keys.hasNext()) {
                K key = keys.next();
                V value = store.get(key);
                if (value != null) {
                    next = new WritableEntry(key, value);
                }
            }
            return next != null;
        }

        @Override
        public Map.Entry<K, V> next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            Map.Entry<K, V> entry = Objects.requireNonNull(next);
            next = null;
            last = entry.getKey();
            return entry;
        }

        @Override
        public void remove() {
            if (last == null) {
                throw new IllegalStateException();
            }
            store.delete(last);
            last = null;
        }
    }

    /** Writes through to the store. */
    private final class WritableEntry extends AbstractMap.SimpleEntry<K, V> {
        private static final long serialVersionUID = 1L;

        WritableEntry(K key, V value) {
            super(key, value);
        }

        @Override
        public V setValue(V value) {
            store.set(getKey(), value);
            return super.setValue(value);
        }
    }
}
