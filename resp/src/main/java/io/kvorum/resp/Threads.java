package io.kvorum.resp;

import java.lang.reflect.Method;
import java.util.concurrent.ThreadFactory;
import org.jspecify.annotations.Nullable;

/** Starts threads: virtual ones where the JVM has them, daemon threads elsewhere. */
final class Threads {
    private static final @Nullable ThreadFactory VIRTUAL = virtual();

    private Threads() {}

    static void start(Runnable task, String name) {
        Thread thread = VIRTUAL == null ? new Thread(task) : VIRTUAL.newThread(task);
        thread.setName(name);
        if (VIRTUAL == null) {
            thread.setDaemon(true);
        }
        thread.start();
    }

    private static @Nullable ThreadFactory virtual() {
        try {
            Object builder = Thread.class.getMethod("ofVirtual").invoke(null);
            Method factory = Class.forName("java.lang.Thread$Builder").getMethod("factory");
            return (ThreadFactory) factory.invoke(builder);
        } catch (ReflectiveOperationException | UnsupportedOperationException e) {
            return null; // a JVM before 21
        }
    }
}
