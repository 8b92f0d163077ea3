package io.kvorum.testkit.cart;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.core.KeyFilter;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.ScanCursor;
import io.kvorum.core.ScanOptions;
import io.kvorum.core.ScanPage;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.slots.topology.RefusedException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Carts in a store, with a cache of this process in front of it. For use by several threads.
 *
 * <p>An addition carries the name of its request, so that it can be made again after an unknown outcome.
 */
final class CartService {
    private static final String PREFIX = "cart:";
    private static final Duration FRESH = Duration.ofSeconds(2);
    private static final int TRIES = 50;

    private record Cached(Cart cart, long at) {}

    private final KeyValueStore store;
    private final InstantSource clock;
    private final Bug bug;
    private final Map<String, Cached> cache = new HashMap<>();
    private final Map<String, Long> versions = new HashMap<>();

    CartService(KeyValueStore store, InstantSource clock, Bug bug) {
        this.store = store;
        this.clock = clock;
        this.bug = bug;
    }

    private static byte[] key(String user) {
        return (PREFIX + user).getBytes(UTF_8);
    }

    /** Puts something into a cart; when this returns, it is in there once. */
    void add(String user, String item, int count, String request) {
        if (bug == Bug.FORGETS_TOO_EARLY) {
            forget(user);
        }
        retried(() -> store.compute(key(user), value -> {
            Cart cart = Cart.decode(value);
            boolean made = cart.requests().contains(request);
            return made && bug != Bug.ADDS_TWICE
                    ? value
                    : cart.with(item, count, request, clock.millis()).encode();
        }));
        if (bug != Bug.FORGETS_TOO_EARLY) {
            forget(user);
        }
    }

    /** {@return the cart, as it was at most two seconds ago, and not before what this process has added to it} */
    Cart view(String user) {
        long version;
        synchronized (cache) {
            Cached cached = cache.get(user);
            if (cached != null && clock.millis() - cached.at < FRESH.toMillis()) {
                return cached.cart;
            }
            version = versions.getOrDefault(user, 0L);
        }
        long asked = clock.millis();
        Cart cart = Cart.decode(retried(() -> store.get(key(user))));
        synchronized (cache) {
            if (versions.getOrDefault(user, 0L) == version) {
                cache.put(user, new Cached(cart, asked));
            }
        }
        return cart;
    }

    /** Deletes the carts that nobody has changed for a while; returns how many. */
    int sweep(Duration idle) {
        int swept = 0;
        ScanPage page = new ScanPage(List.of(), ScanCursor.START);
        while (!page.isLast()) {
            ScanCursor from = page.next();
            page = retried(() ->
                    store.scan(from, ScanOptions.defaults().withFilter(KeyFilter.prefix(PREFIX.getBytes(UTF_8)))));
            for (byte[] key : page.keys()) {
                byte[] value = retried(() -> store.get(key));
                if (value != null && clock.millis() - Cart.decode(value).changed() >= idle.toMillis()) {
                    boolean deleted = bug == Bug.SWEEPS_WHAT_IS_NEW
                            ? retried(() -> store.delete(key))
                            : retried(() -> store.deleteIfEqual(key, value));
                    if (deleted) {
                        swept++;
                        forget(new String(key, UTF_8).substring(PREFIX.length()));
                    }
                }
            }
        }
        return swept;
    }

    private void forget(String user) {
        synchronized (cache) {
            cache.remove(user);
            versions.merge(user, 1L, Long::sum);
        }
    }

    private static <T extends @Nullable Object> T retried(Supplier<T> operation) {
        for (int i = 1; ; i++) {
            try {
                return operation.get();
            } catch (OutcomeUnknownException | RefusedException e) {
                if (i == TRIES) {
                    throw e;
                }
            }
        }
    }
}
