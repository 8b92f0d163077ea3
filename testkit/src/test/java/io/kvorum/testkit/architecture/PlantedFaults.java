package io.kvorum.testkit.architecture;

import java.io.ObjectInputStream;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Lock;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;

/** One class for each way to break a rule of {@link PureCode}, so that each rule is seen to find what it is for. */
@SuppressWarnings("unused") // it is read as bytecode only
final class PlantedFaults {
    private PlantedFaults() {}

    static final class ReadsNanoTime {
        long now() {
            return System.nanoTime();
        }
    }

    static final class ReadsNanoTimeByReference {
        LongSupplier clock() {
            return System::nanoTime;
        }
    }

    static final class ReadsMillis {
        long now() {
            return System.currentTimeMillis();
        }
    }

    static final class ReadsInstantNow {
        Instant now() {
            return Instant.now();
        }
    }

    record HoldsAClock(Clock clock) {}

    static final class DrawsMathRandom {
        double draw() {
            return Math.random();
        }
    }

    static final class MakesARandom {
        RandomGenerator generator() {
            return new Random();
        }
    }

    static final class DrawsThreadLocalRandom {
        int draw() {
            return ThreadLocalRandom.current().nextInt();
        }
    }

    static final class MakesAnUnseededGenerator {
        RandomGenerator generator() {
            return RandomGenerator.getDefault();
        }
    }

    static final class DrawsAUuid {
        UUID draw() {
            return UUID.randomUUID();
        }
    }

    static final class ShufflesUnseeded {
        void shuffle(List<String> list) {
            Collections.shuffle(list);
        }
    }

    static final class Sleeps {
        void rest() throws InterruptedException {
            TimeUnit.MILLISECONDS.sleep(1);
        }
    }

    static final class StartsAThread {
        void start(Runnable task) {
            new Thread(task).start();
        }
    }

    record HoldsAnExecutor(ExecutorService executor) {}

    static final class RunsAsynchronously {
        CompletableFuture<Void> start(Runnable task) {
            return CompletableFuture.runAsync(task);
        }
    }

    record HoldsALock(Lock lock) {}

    record HoldsAnAtomic(AtomicLong counter) {}

    static final class HasASynchronizedMethod {
        synchronized int answer() {
            return 42;
        }
    }

    static final class HasASynchronizedBlock {
        private final Object lock = new Object();

        int answer() {
            synchronized (lock) {
                return 42;
            }
        }
    }

    static final class HasAVolatileField {
        volatile int value;
    }

    static final class WaitsForANotification {
        @SuppressWarnings("WaitNotInLoop")
        void await(Object monitor) throws InterruptedException {
            monitor.wait();
        }
    }

    static final class ReadsAnObjectStream {
        @SuppressWarnings("BanSerializableRead")
        Object read(ObjectInputStream in) throws Exception {
            return in.readObject();
        }
    }

    record NamesAFile(Path path) {}

    static final class Prints {
        void print() {
            System.out.println("42");
        }
    }

    static final class ReadsAProperty {
        String read() {
            return System.getProperty("user.name", "");
        }
    }

    static final class Logs {
        private static final System.Logger LOGGER = System.getLogger("planted");
    }

    static final class MakesAHashMap {
        Map<String, String> make() {
            return new HashMap<>();
        }
    }

    static final class MakesAHashSetByReference {
        Set<String> make(Collection<String> values) {
            return values.stream().collect(Collectors.toCollection(HashSet::new));
        }
    }

    static final class MakesASaltedSet {
        Set<String> make() {
            return Set.of("a", "b");
        }
    }

    static final class CopiesIntoASaltedMap {
        Map<String, String> copy(Map<String, String> map) {
            return Map.copyOf(map);
        }
    }

    static final class CollectsIntoASet {
        Set<String> collect(List<String> list) {
            return list.stream().collect(Collectors.toSet());
        }
    }

    static final class GroupsIntoAHashMap {
        Map<Integer, List<String>> group(List<String> list) {
            return list.stream().collect(Collectors.groupingBy(String::length));
        }
    }

    static final class StreamsInParallel {
        long count(List<String> list) {
            return list.parallelStream().filter(String::isEmpty).count();
        }
    }
}
