package io.kvorum.core;

import static io.kvorum.core.Bytes.bytes;
import static io.kvorum.core.Bytes.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.SetOptions.Condition;
import io.kvorum.slots.HashSlot;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Random operations on a store and on a plain map that says what each must answer. */
@ParameterizedClass(name = "{0}")
@EnumSource(Tables.class)
@Tag("long")
final class LocalStoreModelTest {
    private static final int OPERATIONS = 10_000;
    private static final int TAGS = 8;
    private static final int KEYS_PER_TAG = 40;
    private static final List<Condition> CONDITIONS =
            List.of(Condition.ALWAYS, Condition.IF_ABSENT, Condition.IF_PRESENT);

    private final Tables engine;
    /** What the feed has told, as a replica would build it; expired keys are in it until deleted. */
    private final Map<String, Entry> mirror = new HashMap<>();

    private final Map<String, Entry> model = new HashMap<>();
    private final FixedClock clock = new FixedClock(1_000);

    LocalStoreModelTest(Tables engine) {
        this.engine = engine;
    }

    static List<Long> seeds() {
        String seed = System.getProperty("seed");
        if (seed != null) {
            return List.of(Long.parseLong(seed));
        }
        List<Long> seeds = new ArrayList<>();
        for (long i = 1; i <= 10; i++) {
            seeds.add(i);
        }
        return seeds;
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void answersAsAMapWould(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        StoreSettings settings = engine.settings().withStripes(1 << random.nextInt(7));
        LocalStore store = new LocalStore(settings, seed, clock, (slot, change) -> {
            for (Mutation mutation : Mutation.readAll(change)) {
                assertEquals(HashSlot.of(mutation.key()), slot);
                if (mutation instanceof Mutation.Put put) {
                    mirror.put(name(put.key()), put.entry());
                } else if (mutation instanceof Mutation.Expire expire) {
                    mirror.computeIfPresent(
                            name(expire.key()),
                            (name, entry) -> new Entry(entry.key(), entry.value(), expire.deadline()));
                } else {
                    mirror.remove(name(mutation.key()));
                }
            }
        });
        for (int i = 0; i < OPERATIONS; i++) {
            if (random.nextInt(10) == 0) {
                clock.set(clock.millis() + random.nextInt(20));
                if (random.nextInt(20) == 0) {
                    clock.set(Math.max(0, clock.millis() - random.nextInt(50)));
                }
            }
            step(store, random);
            forgetWhatExpired();
            if (i % 2_500 == 0) {
                check(store);
            }
        }
        check(store);
        clock.set(clock.millis() + 1_000_000);
        store.expire(Integer.MAX_VALUE);
        model.values().removeIf(entry -> entry.deadline() >= 0);
        assertEquals(model.size(), store.size());
        check(store);
    }

    /** A write, and not only a sweep, may delete what has expired, and nothing else. */
    private void forgetWhatExpired() {
        model.forEach((name, entry) -> assertTrue(mirror.containsKey(name) || live(name) == null));
        model.keySet().retainAll(mirror.keySet());
    }

    private void step(LocalStore store, SplittableRandom random) {
        String key = key(random, random.nextInt(TAGS));
        byte[] k = bytes(key);
        byte[] value = new byte[random.nextInt(30)];
        random.nextBytes(value);
        long deadline = clock.millis() + random.nextInt(-5, 100);
        Entry live = live(key);
        switch (random.nextInt(13)) {
            case 0, 1 -> assertEquals(live == null ? null : text(live.value()), text(store.get(k)));
            case 2 -> {
                store.set(k, value);
                model.put(key, new Entry(k, value));
            }
            case 3 -> set(store, key, value, random, deadline, live);
            case 4, 5 -> {
                assertEquals(live != null, store.delete(k));
                model.remove(key);
            }
            case 6 -> assertEquals(live != null, store.exists(k));
            case 7 -> {
                assertEquals(live != null, store.expireAt(k, deadline));
                if (live != null) {
                    put(key, live.value(), deadline);
                }
            }
            case 8 -> {
                assertEquals(live != null && live.deadline() >= 0, store.persist(k));
                if (live != null) {
                    model.put(key, new Entry(k, live.value()));
                }
            }
            case 9 ->
                assertEquals(
                        live == null || live.deadline() < 0 ? OptionalLong.empty() : OptionalLong.of(live.deadline()),
                        store.deadlineOf(k));
            case 10 -> setAll(store, random);
            case 11 -> {
                assertTrue(store.expire(1 + random.nextInt(5)) <= 5);
            }
            case 12 -> {
                if (random.nextInt(50) == 0) {
                    int slot = HashSlot.of(k);
                    assertEquals(store.countInSlot(slot), store.dropSlot(slot));
                    model.keySet().removeIf(other -> HashSlot.of(other) == slot);
                }
            }
            default -> throw new AssertionError();
        }
    }

    private void set(
            LocalStore store, String key, byte[] value, SplittableRandom random, long deadline, @Nullable Entry live) {
        Condition condition = CONDITIONS.get(random.nextInt(CONDITIONS.size()));
        SetOptions options = SetOptions.defaults().withCondition(condition);
        long newDeadline = KeyValueStore.NO_DEADLINE;
        int life = random.nextInt(3);
        if (life == 1) {
            options = options.withDeadlineKept();
            newDeadline = live == null ? newDeadline : live.deadline();
        } else if (life == 2) {
            options = options.withDeadline(deadline);
            newDeadline = deadline;
        }
        boolean holds = switch (condition) {
            case ALWAYS -> true;
            case IF_ABSENT -> live == null;
            case IF_PRESENT -> live != null;
            case IF_EQUAL -> throw new AssertionError();
        };
        assertEquals(holds, store.set(bytes(key), value, options));
        if (holds && life == 1) {
            model.put(key, new Entry(bytes(key), value, newDeadline));
        } else if (holds) {
            put(key, value, newDeadline);
        }
    }

    private void setAll(LocalStore store, SplittableRandom random) {
        List<Entry> entries = new ArrayList<>();
        int tag = random.nextInt(TAGS);
        for (int i = random.nextInt(6); i > 0; i--) {
            byte[] value = new byte[random.nextInt(10)];
            random.nextBytes(value);
            long deadline = random.nextBoolean() ? -1 : clock.millis() + random.nextInt(-3, 50);
            entries.add(new Entry(bytes(key(random, tag)), value, deadline));
        }
        store.setAll(entries);
        for (Entry entry : entries) {
            put(name(entry.key()), entry.value(), entry.deadline());
        }
    }

    private void put(String key, byte[] value, long deadline) {
        if (deadline >= 0 && deadline <= clock.millis()) {
            model.remove(key);
        } else {
            model.put(key, new Entry(bytes(key), value, deadline));
        }
    }

    private @Nullable Entry live(String key) {
        Entry entry = model.get(key);
        return entry == null || (entry.deadline() >= 0 && clock.millis() > entry.deadline()) ? null : entry;
    }

    private void check(LocalStore store) {
        assertEquals(mirror.size(), store.size());
        Map<Integer, Integer> sizes = new HashMap<>();
        Set<Entry> live = new HashSet<>();
        for (String key : model.keySet()) {
            Entry entry = live(key);
            if (entry != null) {
                live.add(entry);
            }
        }
        mirror.keySet().forEach(key -> sizes.merge(HashSlot.of(key), 1, Integer::sum));
        Set<Entry> listed = new HashSet<>();
        for (int slot = 0; slot < HashSlot.COUNT; slot++) {
            assertEquals(sizes.getOrDefault(slot, 0), store.countInSlot(slot));
            store.forEachInSlot(slot, listed::add);
        }
        assertEquals(live, listed);
        assertEquals(Replicas.of(mirror.values()).digest(), store.digest());
    }

    private static String key(SplittableRandom random, int tag) {
        return "{" + tag + "}" + random.nextInt(KEYS_PER_TAG);
    }

    private static String name(byte[] key) {
        String name = text(key);
        if (name == null) {
            throw new AssertionError();
        }
        return name;
    }
}
