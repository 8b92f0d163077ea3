package io.kvorum.core.engine;

import java.util.ArrayList;
import java.util.List;

/** All watchers of a store, as one. Safe for use by any number of threads. */
public final class Watchers implements Watcher {
    private volatile Watcher[] watchers = {};

    /** Tells a watcher of every change from now on, after the others. */
    public synchronized void add(Watcher watcher) {
        List<Watcher> more = new ArrayList<>(List.of(watchers));
        more.add(watcher);
        watchers = more.toArray(new Watcher[0]);
    }

    /** Tells a watcher of every change from now on, before the others. */
    public synchronized void addFirst(Watcher watcher) {
        List<Watcher> more = new ArrayList<>(List.of(watchers));
        more.add(0, watcher);
        watchers = more.toArray(new Watcher[0]);
    }

    /** Tells a watcher of no change that begins from now on. */
    public synchronized void remove(Watcher watcher) {
        List<Watcher> left = new ArrayList<>(List.of(watchers));
        left.remove(watcher);
        watchers = left.toArray(new Watcher[0]);
    }

    @Override
    public void changed(int slot, byte[] key, Cause cause) {
        for (Watcher watcher : watchers) {
            watcher.changed(slot, key, cause);
        }
    }

    @Override
    public void replaced() {
        for (Watcher watcher : watchers) {
            watcher.replaced();
        }
    }

    @Override
    public void unlocked() {
        for (Watcher watcher : watchers) {
            watcher.unlocked();
        }
    }
}
