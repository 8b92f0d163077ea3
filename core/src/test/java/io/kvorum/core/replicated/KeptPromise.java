package io.kvorum.core.replicated;

import io.kvorum.replication.Promise;
import io.kvorum.replication.PromiseStore;

/** Keeps a promise in memory. */
final class KeptPromise implements PromiseStore {
    private volatile Promise promise;

    KeptPromise(Promise promise) {
        this.promise = promise;
    }

    @Override
    public Promise load() {
        return promise;
    }

    @Override
    public void save(Promise saved) {
        promise = saved;
    }
}
