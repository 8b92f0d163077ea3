package io.kvorum.core.stress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.kvorum.core.Life;
import io.kvorum.core.LocalStore;
import io.kvorum.core.SetOptions;
import io.kvorum.core.StoreSettings;
import java.time.InstantSource;
import java.util.Arrays;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/**
 * What a read without a lock may see beside a writer of the same stripe: the entry before, the entry after, nothing in
 * between. A value is one byte many times over, and the result that byte; -1 stands for no value, -2 for a mixture.
 */
public final class OptimisticReads {
    private static final byte[] KEY = {'{', 't', '}', '1'};
    private static final byte[] OTHER = {'{', 't', '}', '2'};

    private OptimisticReads() {}

    static LocalStore store() {
        LocalStore store = new LocalStore(StoreSettings.defaults().withStripes(1), 7, InstantSource.system());
        store.set(KEY, value(1, 64));
        return store;
    }

    static byte[] value(int number, int length) {
        byte[] value = new byte[length];
        Arrays.fill(value, (byte) number);
        return value;
    }

    static int read(LocalStore store) {
        byte[] value = store.get(KEY);
        if (value == null) {
            return -1;
        }
        for (byte b : value) {
            if (b != value[0]) {
                return -2;
            }
        }
        return value[0] + (value.length == 64 ? 0 : 10);
    }

    /** A value that is overwritten where it lies. */
    @JCStressTest
    @Outcome(
            id = {"1", "2"},
            expect = ACCEPTABLE,
            desc = "before or after")
    @Outcome(expect = FORBIDDEN, desc = "torn or lost")
    @State
    public static class OfAnOverwrittenValue {
        private final LocalStore store = store();

        @Actor
        public void write() {
            store.set(KEY, value(2, 64));
        }

        @Actor
        public void read(I_Result r) {
            r.r1 = OptimisticReads.read(store);
        }
    }

    /** A value that becomes so long that its record moves, out of the place that another key then takes. */
    @JCStressTest
    @Outcome(
            id = {"1", "12"},
            expect = ACCEPTABLE,
            desc = "before or after")
    @Outcome(expect = FORBIDDEN, desc = "torn or lost")
    @State
    public static class OfAMovedRecord {
        private final LocalStore store = store();

        @Actor
        public void write() {
            store.set(KEY, value(2, 700));
            store.set(OTHER, value(3, 700));
        }

        @Actor
        public void read(I_Result r) {
            r.r1 = OptimisticReads.read(store);
        }
    }

    /** A key that is deleted and comes back: the reader may see it gone, but no stale and no foreign value. */
    @JCStressTest
    @Outcome(
            id = {"1", "-1", "2"},
            expect = ACCEPTABLE,
            desc = "before, between or after")
    @Outcome(expect = FORBIDDEN, desc = "torn")
    @State
    public static class OfADeletedKey {
        private final LocalStore store = store();

        @Actor
        public void write() {
            store.delete(KEY);
            store.set(KEY, value(2, 64));
        }

        @Actor
        public void read(I_Result r) {
            r.r1 = OptimisticReads.read(store);
        }
    }

    /** A record that is given a deadline, which moves its key and its value. */
    @JCStressTest
    @Outcome(
            id = {"1", "2"},
            expect = ACCEPTABLE,
            desc = "before or after")
    @Outcome(expect = FORBIDDEN, desc = "torn or lost")
    @State
    public static class OfARecordThatGetsADeadline {
        private static final SetOptions OPTIONS = SetOptions.defaults().withLife(Life.until(Long.MAX_VALUE));

        private final LocalStore store = store();

        @Actor
        public void write() {
            store.set(KEY, value(2, 64), OPTIONS);
        }

        @Actor
        public void read(I_Result r) {
            r.r1 = OptimisticReads.read(store);
        }
    }

    /** Keys that come while the index grows: a key that was there throughout is never missed. */
    @JCStressTest
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "always there")
    @Outcome(expect = FORBIDDEN, desc = "torn or lost")
    @State
    public static class OfAGrowingIndex {
        private final LocalStore store = store();

        @Actor
        public void write() {
            for (int i = 0; i < 40; i++) {
                store.set(new byte[] {'{', 't', '}', 'x', (byte) i}, value(3, 64));
            }
        }

        @Actor
        public void read(I_Result r) {
            r.r1 = OptimisticReads.read(store);
        }
    }

    /** Two reads of one thread never go back. */
    @JCStressTest
    @Outcome(
            id = {"1, 1", "1, 2", "2, 2"},
            expect = ACCEPTABLE,
            desc = "in order")
    @Outcome(expect = FORBIDDEN, desc = "torn, or back to the value before")
    @State
    public static class OneAfterTheOther {
        private final LocalStore store = store();

        @Actor
        public void write() {
            store.set(KEY, value(2, 64));
        }

        @Actor
        public void read(II_Result r) {
            r.r1 = OptimisticReads.read(store);
            r.r2 = OptimisticReads.read(store);
        }
    }
}
