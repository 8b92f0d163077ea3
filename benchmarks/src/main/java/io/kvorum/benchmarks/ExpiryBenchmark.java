package io.kvorum.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.core.LocalStore;
import io.kvorum.core.SetOptions;
import io.kvorum.core.ShardedStore;
import io.kvorum.core.StoreSettings;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Group;
import org.openjdk.jmh.annotations.GroupThreads;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Whether a million keys that expire disturb a reader: the percentiles of a get beside a thread that lets time pass,
 * deletes what has expired in steps and sets as many keys anew ({@code expiring}), and beside one that sets as many
 * keys that do not expire ({@code lasting}).
 *
 * <p>Compare the 99.9th percentiles of the two gets. Run: {@code java -jar benchmarks/target/benchmarks.jar
 * ExpiryBenchmark}.
 */
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 2)
@Fork(2)
public class ExpiryBenchmark {
    private static final int READ = 100_000;
    private static final int EXPIRING = 1_000_000;
    private static final int LIFE_MILLIS = 10_000;
    private static final int KEYS_PER_MILLI = EXPIRING / LIFE_MILLIS;
    private static final byte[] VALUE = new byte[100];

    /** A store with keys that are read, and keys of which a hundred expire each millisecond of its clock. */
    @State(Scope.Group)
    public static class Stored {
        private final AtomicLong now = new AtomicLong(1_000_000);
        private final byte[][] keys = new byte[READ][];
        private ShardedStore store;
        private int next;

        @Setup
        public void fill() {
            InstantSource clock = new InstantSource() {
                @Override
                public long millis() {
                    return now.get();
                }

                @Override
                public Instant instant() {
                    return Instant.ofEpochMilli(millis());
                }
            };
            store = ShardedStore.local(List.of(new LocalStore(StoreSettings.defaults(), 1, clock)));
            for (int i = 0; i < READ; i++) {
                keys[i] = ("key-" + (100_000_000_000L + i)).getBytes(UTF_8);
                store.set(keys[i], VALUE);
            }
            for (int i = 0; i < LIFE_MILLIS; i++) {
                setSome(true);
                now.incrementAndGet();
            }
        }

        private void setSome(boolean expiring) {
            SetOptions options =
                    expiring ? SetOptions.defaults().withDeadline(now.get() + LIFE_MILLIS) : SetOptions.defaults();
            for (int i = 0; i < KEYS_PER_MILLI; i++) {
                next = (next + 1) % EXPIRING;
                store.set(("other-" + (100_000_000_000L + next)).getBytes(UTF_8), VALUE, options);
            }
        }
    }

    /** Each thread reads in its own order. */
    @State(Scope.Thread)
    public static class Walk {
        private final SplittableRandom random = new SplittableRandom(2);
    }

    @Benchmark
    @Group("expiring")
    @GroupThreads(1)
    public byte[] getBesideExpiring(Stored stored, Walk walk) {
        return stored.store.get(stored.keys[walk.random.nextInt(READ)]);
    }

    @Benchmark
    @Group("expiring")
    @GroupThreads(1)
    public int expire(Stored stored) {
        stored.now.incrementAndGet();
        int expired = stored.store.expire(2 * KEYS_PER_MILLI);
        stored.setSome(true);
        return expired;
    }

    @Benchmark
    @Group("lasting")
    @GroupThreads(1)
    public byte[] getBesideLasting(Stored stored, Walk walk) {
        return stored.store.get(stored.keys[walk.random.nextInt(READ)]);
    }

    @Benchmark
    @Group("lasting")
    @GroupThreads(1)
    public void set(Stored stored) {
        stored.setSome(false);
    }
}
