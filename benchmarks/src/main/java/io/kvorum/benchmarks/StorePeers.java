package io.kvorum.benchmarks;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Expiry;
import com.hazelcast.config.Config;
import com.hazelcast.config.InMemoryFormat;
import com.hazelcast.config.MapConfig;
import com.hazelcast.core.Hazelcast;
import com.hazelcast.map.IMap;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import org.caffinitas.ohc.CacheSerializer;
import org.caffinitas.ohc.OHCache;
import org.caffinitas.ohc.OHCacheBuilder;
import org.infinispan.configuration.cache.ConfigurationBuilder;
import org.infinispan.configuration.global.GlobalConfigurationBuilder;
import org.infinispan.manager.DefaultCacheManager;

/** What the store is measured beside. Each hands out the stored array itself, unless it keeps none. */
final class StorePeers {
    private static final long LIFE_NANOS = TimeUnit.HOURS.toNanos(1);

    private StorePeers() {}

    /** One of them, with a value under each key. */
    interface Peer {
        byte[] get(byte[] key);

        void set(byte[] key, byte[] value);
    }

    /** A key that is equal to another one with the same bytes. */
    private static final class Key {
        private final byte[] bytes;
        private final int hash;

        Key(byte[] bytes) {
            this.bytes = bytes;
            this.hash = Arrays.hashCode(bytes);
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Key key && Arrays.equals(bytes, key.bytes);
        }

        @Override
        public int hashCode() {
            return hash;
        }
    }

    static Peer map() {
        ConcurrentMap<Key, byte[]> map = new ConcurrentHashMap<>();
        return new Peer() {
            @Override
            public byte[] get(byte[] key) {
                return map.get(new Key(key));
            }

            @Override
            public void set(byte[] key, byte[] value) {
                map.put(new Key(key), value.clone());
            }
        };
    }

    static Peer caffeineWithMaximum(long maximum) {
        return caffeine(Caffeine.newBuilder().maximumSize(maximum).build());
    }

    static Peer caffeineWithExpiry() {
        Expiry<Key, byte[]> expiry = Expiry.writing((key, value) -> Duration.ofNanos(LIFE_NANOS));
        return caffeine(Caffeine.newBuilder().expireAfter(expiry).build());
    }

    private static Peer caffeine(Cache<Key, byte[]> cache) {
        return new Peer() {
            @Override
            public byte[] get(byte[] key) {
                return cache.getIfPresent(new Key(key));
            }

            @Override
            public void set(byte[] key, byte[] value) {
                cache.put(new Key(key), value.clone());
            }
        };
    }

    static Peer ohc(long capacity) {
        OHCache<byte[], byte[]> cache = OHCacheBuilder.<byte[], byte[]>newBuilder()
                .keySerializer(new Bytes())
                .valueSerializer(new Bytes())
                .capacity(capacity)
                .build();
        return new Peer() {
            @Override
            public byte[] get(byte[] key) {
                return cache.get(key);
            }

            @Override
            public void set(byte[] key, byte[] value) {
                cache.put(key, value);
            }
        };
    }

    private static final class Bytes implements CacheSerializer<byte[]> {
        @Override
        public void serialize(byte[] value, ByteBuffer target) {
            target.putInt(value.length).put(value);
        }

        @Override
        public byte[] deserialize(ByteBuffer source) {
            byte[] value = new byte[source.getInt()];
            source.get(value);
            return value;
        }

        @Override
        public int serializedSize(byte[] value) {
            return Integer.BYTES + value.length;
        }
    }

    static Peer hazelcast() {
        Config config = Config.loadDefault();
        config.setProperty("hazelcast.logging.type", "none").setProperty("hazelcast.phone.home.enabled", "false");
        config.getNetworkConfig().getJoin().getAutoDetectionConfig().setEnabled(false);
        config.getNetworkConfig().getJoin().getMulticastConfig().setEnabled(false);
        config.addMapConfig(
                new MapConfig("m").setInMemoryFormat(InMemoryFormat.BINARY).setBackupCount(0));
        IMap<byte[], byte[]> map = Hazelcast.newHazelcastInstance(config).getMap("m");
        return new Peer() {
            @Override
            public byte[] get(byte[] key) {
                return map.get(key);
            }

            @Override
            public void set(byte[] key, byte[] value) {
                map.set(key, value);
            }
        };
    }

    static Peer infinispan() {
        DefaultCacheManager manager = new DefaultCacheManager(new GlobalConfigurationBuilder().build());
        org.infinispan.Cache<Object, byte[]> cache = manager.createCache(
                "c", new ConfigurationBuilder().simpleCache(true).build());
        return new Peer() {
            @Override
            public byte[] get(byte[] key) {
                return cache.get(new Key(key));
            }

            @Override
            public void set(byte[] key, byte[] value) {
                cache.put(new Key(key), value.clone());
            }
        };
    }
}
