package io.kvorum.cluster;

import io.kvorum.slots.Scheduler;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;

/** Files and schedulers that are not as they should be. */
final class Broken {
    private Broken() {}

    /** Makes a file of many gigabytes that takes no room on the disk. */
    static void makeHuge(Path file) throws IOException {
        try (RandomAccessFile huge = new RandomAccessFile(file.toFile(), "rw")) {
            huge.setLength(8L << 30);
        }
    }

    /** Fills a file with what nobody has written on purpose. */
    static void fillWithGarbage(Path file) throws IOException {
        byte[] garbage = new byte[2_000];
        new SplittableRandom(1).nextBytes(garbage);
        Files.write(file, garbage);
    }

    /** Changes one character of a file. */
    static void damage(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, bytes);
    }

    /** Throws at the next calls, as many as it is told. */
    static final class FailingScheduler implements Scheduler {
        private final Scheduler real;
        private final AtomicInteger failures = new AtomicInteger();

        FailingScheduler(Scheduler real) {
            this.real = real;
        }

        void failNext(int calls) {
            failures.set(calls);
        }

        /** {@return how many calls are yet to fail} */
        int failuresLeft() {
            return Math.max(0, failures.get());
        }

        private void failIfTold() {
            if (failures.get() > 0 && failures.getAndDecrement() > 0) {
                throw new IllegalStateException("the scheduler is told to fail");
            }
        }

        @Override
        public long nanoTime() {
            return real.nanoTime();
        }

        @Override
        public void execute(Runnable task) {
            failIfTold();
            real.execute(task);
        }

        @Override
        public Cancellable schedule(Runnable task, long delayNanos) {
            failIfTold();
            return real.schedule(task, delayNanos);
        }
    }
}
