package io.kvorum.testkit.history;

import static io.kvorum.testkit.history.Verdict.Result.LINEARIZABLE;
import static io.kvorum.testkit.history.Verdict.Result.NOT_LINEARIZABLE;
import static io.kvorum.testkit.history.Verdict.Result.UNKNOWN;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.testkit.history.Verdict.Result;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class LinearizabilityTest {
    private static final int BUDGET = 300_000;

    private final List<Call<RegisterOperation>> history = new ArrayList<>();

    @Test
    void anEmptyHistoryIsLinearizable() {
        assertJudged(LINEARIZABLE);
    }

    @Test
    void aReadSeesTheLastWrite() {
        write(1, 0, 10);
        read(1, 11, 20);
        write(2, 21, 30);
        read(2, 31, 40);

        assertJudged(LINEARIZABLE);
    }

    @Test
    void aReadOfAnOverwrittenValueIsStale() {
        write(1, 0, 10);
        write(2, 21, 30);
        read(1, 31, 40);

        assertJudged(NOT_LINEARIZABLE);
    }

    @Test
    void callsThatTouchMayOverlap() {
        write(1, 0, 10);
        write(2, 20, 30);
        read(1, 30, 40);

        assertJudged(LINEARIZABLE);
    }

    @Test
    void aReadDuringAWriteSeesEither() {
        write(1, 0, 10);
        write(2, 20, 60);
        read(1, 30, 40);
        read(2, 41, 50);

        assertJudged(LINEARIZABLE);
    }

    @Test
    void twoReadsDuringAWriteDoNotGoBack() {
        write(1, 0, 10);
        write(2, 20, 60);
        read(2, 30, 40);
        read(1, 41, 50);

        assertJudged(NOT_LINEARIZABLE);
    }

    @Test
    void aLostWriteIsSeen() {
        write(1, 0, 10);
        read(RegisterOperation.ABSENT, 11, 20);

        assertJudged(NOT_LINEARIZABLE);
    }

    @Test
    void aReadFromTheFutureIsSeen() {
        read(1, 0, 10);
        write(1, 11, 20);

        assertJudged(NOT_LINEARIZABLE);
    }

    @Test
    void aValueOfNobodyIsSeen() {
        read(7, 0, 10);

        assertJudged(NOT_LINEARIZABLE);
    }

    @Test
    void anOpenWriteMayHappenLate() {
        write(1, 0, Call.NEVER);
        read(RegisterOperation.ABSENT, 10, 20);
        read(1, 21, 30);

        assertJudged(LINEARIZABLE);
    }

    @Test
    void anOpenWriteMayHappenNever() {
        write(1, 0, Call.NEVER);
        write(2, 10, 20);
        read(2, 21, 30);

        assertJudged(LINEARIZABLE);
    }

    @Test
    void anOpenWriteHappensOnce() {
        write(1, 0, Call.NEVER);
        read(1, 10, 20);
        write(2, 21, 30);
        read(1, 31, 40);

        assertJudged(NOT_LINEARIZABLE);
    }

    @Test
    void aBackwardZoneWithinAForwardOneIsSeen() {
        write(1, 0, 10);
        write(2, 20, 30);
        read(2, 25, 35);
        read(1, 50, 60);

        assertJudged(NOT_LINEARIZABLE);
    }

    @Test
    void aDeletionMakesTheRegisterEmpty() {
        write(1, 0, 10);
        delete(11, 20);
        read(RegisterOperation.ABSENT, 21, 30);
        assertEquals(LINEARIZABLE, search(history));

        read(1, 31, 40);
        assertEquals(NOT_LINEARIZABLE, search(history));
    }

    @Test
    void anOpenDeletionServesOneGapOnly() {
        write(1, 0, 10);
        delete(11, Call.NEVER);
        read(RegisterOperation.ABSENT, 21, 30);
        write(2, 31, 40);
        read(2, 41, 50);
        assertEquals(LINEARIZABLE, search(history));

        read(RegisterOperation.ABSENT, 51, 60);
        assertEquals(NOT_LINEARIZABLE, search(history));

        delete(12, Call.NEVER);
        assertEquals(LINEARIZABLE, search(history));
    }

    @Test
    void manyOpenDeletionsDoNotDrownTheSearch() {
        for (long i = 1; i <= 500; i++) {
            write(i, 10 * i, 10 * i + 2);
            delete(10 * i + 3, Call.NEVER);
            read(i % 3 == 0 ? RegisterOperation.ABSENT : i, 10 * i + 4, 10 * i + 6);
        }

        assertEquals(LINEARIZABLE, search(history));
    }

    @Test
    void manyOpenWritesDoNotDrownTheCheck() {
        delete(0, 1);
        for (long i = 1; i <= 500; i++) {
            write(2 * i, 10 * i, Call.NEVER);
            write(2 * i + 1, 10 * i, Call.NEVER);
            read(2 * i, 10 * i + 4, 10 * i + 6);
        }

        assertEquals(LINEARIZABLE, RegisterHistories.check(history, BUDGET).result());
    }

    @Test
    void aSpentBudgetIsNoSuccess() {
        write(1, 0, 10);
        read(1, 11, 20);

        assertEquals(
                UNKNOWN,
                ExhaustiveSearch.check(history, RegisterOperation.MODEL, 1).result());
    }

    @Test
    void zonesWantUniqueValues() {
        write(1, 0, 10);
        write(1, 11, 20);
        assertThrows(IllegalArgumentException.class, () -> RegisterZones.check(history));

        history.clear();
        delete(0, 10);
        assertThrows(IllegalArgumentException.class, () -> RegisterZones.check(history));
    }

    @Test
    void theCheckersAgreeOnRandomHistories() {
        Map<Result, Integer> verdicts = new EnumMap<>(Result.class);
        for (int seed = 0; seed < 20_000; seed++) {
            List<Call<RegisterOperation>> drawn = randomHistory(new Random(seed), false);
            Verdict zones = RegisterZones.check(drawn);
            assertEquals(zones.result(), search(drawn), () -> zones.reason() + " in " + drawn);
            verdicts.merge(zones.result(), 1, Integer::sum);
        }
        assertTrue(verdicts.values().stream().allMatch(count -> count > 2_000), verdicts::toString);
    }

    @Test
    void theSearchAgreesWithTryingAllOrders() {
        Map<Result, Integer> verdicts = new EnumMap<>(Result.class);
        for (int seed = 0; seed < 5_000; seed++) {
            List<Call<RegisterOperation>> drawn = randomHistory(new Random(seed), true);
            boolean exists = anyOrder(drawn, new boolean[drawn.size()], RegisterOperation.ABSENT);
            Result expected = exists ? LINEARIZABLE : NOT_LINEARIZABLE;
            assertEquals(expected, search(drawn), drawn::toString);
            assertEquals(expected, RegisterHistories.check(drawn, BUDGET).result(), drawn::toString);
            verdicts.merge(expected, 1, Integer::sum);
        }
        assertTrue(verdicts.values().stream().allMatch(count -> count > 500), verdicts::toString);
    }

    /** Whether the calls not yet used can be ordered, by trying them all; open calls may stay unused. */
    private static boolean anyOrder(List<Call<RegisterOperation>> calls, boolean[] used, long state) {
        boolean complete = true;
        for (int i = 0; i < calls.size(); i++) {
            Call<RegisterOperation> call = calls.get(i);
            if (used[i]) {
                continue;
            }
            complete &= call.isOpen();
            Long after = RegisterOperation.MODEL.next(state, call.operation());
            if (after != null && mayBeNext(calls, used, call)) {
                used[i] = true;
                boolean found = anyOrder(calls, used, after);
                used[i] = false;
                if (found) {
                    return true;
                }
            }
        }
        return complete;
    }

    private static boolean mayBeNext(
            List<Call<RegisterOperation>> calls, boolean[] used, Call<RegisterOperation> next) {
        for (int i = 0; i < calls.size(); i++) {
            if (!used[i] && calls.get(i).returned() < next.invoked()) {
                return false;
            }
        }
        return true;
    }

    /** Plays a register, then sometimes lies: in half of the histories one call may show another value. */
    private static List<Call<RegisterOperation>> randomHistory(Random random, boolean deletions) {
        List<Call<RegisterOperation>> calls = new ArrayList<>();
        long[] free = new long[1 + random.nextInt(3)]; // when each client is free again
        long[] values = new long[200]; // at each moment
        int length = 2 + random.nextInt(6);
        int lie = random.nextBoolean() ? random.nextInt(length) : -1;
        long[][] drawn = new long[length][];
        for (int i = 0; i < length; i++) {
            int client = random.nextInt(free.length);
            long invoked = free[client] + random.nextInt(3);
            long effect = invoked + random.nextInt(4);
            long returned = effect + random.nextInt(4);
            free[client] = returned + 1;
            drawn[i] = new long[] {invoked, effect, random.nextInt(8) == 0 ? Call.NEVER : returned};
        }
        Arrays.sort(drawn, Comparator.comparingLong(times -> times[1]));
        boolean[] writes = new boolean[length];
        long[] written = new long[length];
        for (int i = 0; i < length; i++) {
            writes[i] = random.nextBoolean();
            written[i] = deletions && random.nextInt(3) == 0 ? RegisterOperation.ABSENT : i + 1;
            boolean happens = drawn[i][2] != Call.NEVER || random.nextBoolean();
            if (writes[i] && happens) {
                for (int t = (int) drawn[i][1]; t < values.length; t++) {
                    values[t] = written[i];
                }
            }
        }
        for (int i = 0; i < length; i++) {
            long seen = i == lie ? random.nextInt(length + 1) : values[(int) drawn[i][1]];
            RegisterOperation operation =
                    writes[i] ? RegisterOperation.write(written[i]) : RegisterOperation.read(seen);
            calls.add(new Call<>(operation, drawn[i][0], drawn[i][2]));
        }
        return calls;
    }

    private static Result search(List<Call<RegisterOperation>> calls) {
        return ExhaustiveSearch.check(calls, RegisterOperation.MODEL, BUDGET).result();
    }

    private void assertJudged(Result expected) {
        Verdict zones = RegisterZones.check(history);
        assertEquals(expected, zones.result(), zones.reason());
        assertEquals(expected, search(history));
    }

    private void write(long value, long invoked, long returned) {
        history.add(new Call<>(RegisterOperation.write(value), invoked, returned));
    }

    private void delete(long invoked, long returned) {
        history.add(new Call<>(RegisterOperation.delete(), invoked, returned));
    }

    private void read(long value, long invoked, long returned) {
        history.add(new Call<>(RegisterOperation.read(value), invoked, returned));
    }
}
