package io.kvorum.core.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

final class DeadlineWheelTest {
    private static final int RECORDS = 1_000;
    private static final long HOUR = 3_600_000;

    private final Array records = new Array(RECORDS + 1);
    private final DeadlineWheel wheel = new DeadlineWheel(records);

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 63, 64, 65, 4_095, 4_096, 1_700_000_000_000L, Long.MAX_VALUE - 1})
    void aDeadlineHasPassedOneMillisecondLater(long deadline) {
        add(1, deadline);

        assertEquals(List.of(), sweep(deadline));
        assertEquals(List.of(1), sweep(deadline + 1));
    }

    @Test
    void theLastDeadlineOfAllNeverPasses() {
        add(1, Long.MAX_VALUE);

        assertEquals(List.of(), sweep(Long.MAX_VALUE));
    }

    @Test
    void nothingIsDueBefore1970() {
        add(1, 0);

        assertEquals(List.of(), sweep(-1));
        assertEquals(List.of(), sweep(Long.MIN_VALUE));
        assertEquals(List.of(1), sweep(1));
    }

    @Test
    @Tag("long")
    void aMillionInOneBucketAreHandedOverInStepsOfTheGivenSize() {
        int count = 1_000_000;
        Array many = new Array(count + 1);
        DeadlineWheel large = new DeadlineWheel(many);
        for (int reference = 1; reference <= count; reference++) {
            many.deadlines[reference] = 1_000;
            large.add(reference);
        }
        int sweeps = 0;
        int[] handed = {0};
        int left = 0;
        while (left == 0) {
            int before = handed[0];
            left = large.sweep(1_001, 50, reference -> {
                large.remove(reference);
                handed[0]++;
            });
            assertTrue(handed[0] - before <= 50);
            sweeps++;
        }

        assertEquals(count, handed[0]);
        assertEquals(count / 50 + 1, sweeps);
    }

    @Test
    void aDeadlineThatIsPutOffAgainAndAgainIsLookedAtRarely() {
        add(1, 60_000);
        int looks = 0;
        for (long now = 0; now < HOUR; now += 100) {
            looks += 10
                    - wheel.sweep(now, 10, reference -> {
                        throw new AssertionError("not due");
                    });
            change(1, now + 60_000);
        }

        assertTrue(looks < HOUR / 10_000, "looks: " + looks);
        assertEquals(List.of(1), sweep(2 * HOUR));
    }

    @Test
    void whatIsNotRemovedEndsTheSweepAndComesFirstInTheNext() {
        add(1, 10);
        add(2, 10);
        List<Integer> seen = new ArrayList<>();
        assertEquals(99, wheel.sweep(11, 100, seen::add));
        int first = seen.get(0);
        assertEquals(List.of(first), seen);

        assertEquals(List.of(first, 3 - first), sweep(11));
    }

    static LongStream seeds() {
        return LongStream.rangeClosed(1, 40);
    }

    /** Every deadline that has passed by the time of a complete sweep is handed over, and none before. */
    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    @Tag("long")
    void handsOverWhatASortedMapWould(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        NavigableMap<Long, Set<Integer>> model = new TreeMap<>();
        Map<Integer, Long> deadlines = new HashMap<>();
        List<Integer> free = new ArrayList<>();
        for (int reference = 1; reference <= RECORDS; reference++) {
            free.add(reference);
        }
        long now = random.nextBoolean() ? 1_700_000_000_000L : random.nextInt(10_000);
        for (int step = 0; step < 20_000; step++) {
            switch (random.nextInt(10)) {
                case 0, 1, 2 -> {
                    if (!free.isEmpty()) {
                        int reference = free.remove(random.nextInt(free.size()));
                        long deadline = deadline(random, now);
                        add(reference, deadline);
                        deadlines.put(reference, deadline);
                        model.computeIfAbsent(deadline, d -> new HashSet<>()).add(reference);
                    }
                }
                case 3, 4, 5 -> {
                    int reference = 1 + random.nextInt(RECORDS);
                    Long before = deadlines.get(reference);
                    if (before != null) {
                        long deadline = deadline(random, now);
                        change(reference, deadline);
                        forget(model, before, reference);
                        deadlines.put(reference, deadline);
                        model.computeIfAbsent(deadline, d -> new HashSet<>()).add(reference);
                    }
                }
                case 6 -> {
                    int reference = 1 + random.nextInt(RECORDS);
                    Long before = deadlines.remove(reference);
                    if (before != null) {
                        wheel.remove(reference);
                        forget(model, before, reference);
                        free.add(reference);
                    }
                }
                case 7 -> {
                    int from = 1 + random.nextInt(RECORDS);
                    if (deadlines.containsKey(from) && !free.isEmpty()) {
                        int to = free.remove(random.nextInt(free.size()));
                        long deadline = deadlines.remove(from);
                        records.copy(from, to);
                        wheel.moved(to);
                        forget(model, deadline, from);
                        deadlines.put(to, deadline);
                        model.computeIfAbsent(deadline, d -> new HashSet<>()).add(to);
                        free.add(from);
                    }
                }
                default -> {
                    now = Math.max(0, now + leap(random));
                    int steps = 1 + random.nextInt(200);
                    long time = now;
                    int left = wheel.sweep(now, steps, reference -> {
                        Long deadline = deadlines.remove(reference);
                        assertTrue(deadline != null && deadline < time, "handed over too early");
                        wheel.remove(reference);
                        forget(model, deadline, reference);
                        free.add(reference);
                    });
                    assertTrue(left == 0 || model.isEmpty() || model.firstKey() >= now, "something was left over");
                }
            }
            if (step % 100 == 0) {
                wheel.checkInvariants();
            }
        }
    }

    private static void forget(Map<Long, Set<Integer>> model, long deadline, int reference) {
        Set<Integer> same = model.get(deadline);
        assertTrue(same != null && same.remove(reference));
        if (same.isEmpty()) {
            model.remove(deadline);
        }
    }

    private static long deadline(SplittableRandom random, long now) {
        return switch (random.nextInt(8)) {
            case 0 -> Long.MAX_VALUE - random.nextInt(3);
            case 1 -> random.nextLong(Long.MAX_VALUE);
            case 2 -> now - Math.min(now, random.nextInt(5));
            default -> now + random.nextLong(1L << random.nextInt(1, 32));
        };
    }

    private static long leap(SplittableRandom random) {
        return switch (random.nextInt(12)) {
            case 0 -> HOUR;
            case 1 -> -HOUR;
            case 2 -> -random.nextInt(200);
            case 3 -> 0;
            default -> random.nextInt(1 << random.nextInt(1, 14));
        };
    }

    private void add(int reference, long deadline) {
        records.deadlines[reference] = deadline;
        wheel.add(reference);
        wheel.checkInvariants();
    }

    private void change(int reference, long deadline) {
        long before = records.deadlines[reference];
        records.deadlines[reference] = deadline;
        wheel.changed(reference, before);
    }

    private List<Integer> sweep(long now) {
        List<Integer> swept = new ArrayList<>();
        int left = wheel.sweep(now, RECORDS, reference -> {
            swept.add(reference);
            wheel.remove(reference);
        });
        assertTrue(left > 0);
        wheel.checkInvariants();
        return swept;
    }

    private static final class Array implements DeadlineWheel.Records {
        final long[] deadlines;
        private final int[] next;
        private final int[] previous;

        Array(int length) {
            deadlines = new long[length];
            next = new int[length];
            previous = new int[length];
        }

        void copy(int from, int to) {
            deadlines[to] = deadlines[from];
            next[to] = next[from];
            previous[to] = previous[from];
        }

        @Override
        public long deadline(int reference) {
            return deadlines[reference];
        }

        @Override
        public int next(int reference) {
            return next[reference];
        }

        @Override
        public void setNext(int reference, int value) {
            next[reference] = value;
        }

        @Override
        public int previous(int reference) {
            return previous[reference];
        }

        @Override
        public void setPrevious(int reference, int value) {
            previous[reference] = value;
        }
    }
}
