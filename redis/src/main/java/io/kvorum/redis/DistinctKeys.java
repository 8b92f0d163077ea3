package io.kvorum.redis;

import java.nio.ByteBuffer;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Keys in the order in which they came, each once. Confined to one thread. */
final class DistinctKeys {
    private final Set<ByteBuffer> keys = new LinkedHashSet<>();

    void add(byte[] key) {
        keys.add(ByteBuffer.wrap(key));
    }

    int size() {
        return keys.size();
    }

    List<byte[]> toList() {
        return keys.stream().map(ByteBuffer::array).toList();
    }
}
