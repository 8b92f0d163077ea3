package io.kvorum.replication;

import java.util.concurrent.locks.LockSupport;

/** The clock and the parking place of threads that wait for room in a log: a seam for tests. */
interface Parking {
    /** The system's own. */
    Parking SYSTEM = new Parking() {
        @Override
        public long nanoTime() {
            return System.nanoTime();
        }

        @Override
        public void park(Object blocker, long nanos) {
            LockSupport.parkNanos(blocker, nanos);
        }

        @Override
        public void unpark(Thread thread) {
            LockSupport.unpark(thread);
        }
    };

    /** {@return the elapsed time, in nanoseconds} */
    long nanoTime();

    /** Parks the current thread, as {@link LockSupport#parkNanos(Object, long)} does. */
    void park(Object blocker, long nanos);

    /** Wakes a thread, as {@link LockSupport#unpark} does. */
    void unpark(Thread thread);
}
