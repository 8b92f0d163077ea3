package io.kvorum.core.typed;

import io.kvorum.core.KeyValueStore;
import io.kvorum.core.ScanCursor;
import io.kvorum.core.ScanOptions;
import io.kvorum.core.ScanPage;
import java.util.Collections;
import java.util.Iterator;
import java.util.NoSuchElementException;

/** Walks through the keys of a store, a page at a time. Confined to one thread. */
final class KeyIterator<K> implements Iterator<K> {
    private final KeyValueStore store;
    private final ScanOptions options;
    private final Codec<K> codec;
    private ScanCursor cursor = ScanCursor.START;
    private Iterator<byte[]> page = Collections.emptyIterator();

    KeyIterator(KeyValueStore store, ScanOptions options, Codec<K> codec) {
        this.store = store;
        this.options = options;
        this.codec = codec;
    }

    @Override
    public boolean hasNext() {
        while (!page.hasNext() && !cursor.isEnd()) {
            ScanPage next = store.scan(cursor, options);
            page = next.keys().iterator();
            cursor = next.next();
        }
        return page.hasNext();
    }

    @Override
    public K next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        return codec.decode(page.next());
    }
}
