package io.kvorum.testkit.guide;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.core.KeyValueStore;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Shopping carts, which are to survive the failure of a node. */
public final class Carts {
    private final KeyValueStore store;

    public Carts(KeyValueStore store) {
        this.store = store;
    }

    /** Puts an item into a cart. Doing it twice is the same as doing it once, so a caller in doubt may repeat it. */
    public void add(String cart, String item) {
        store.compute(cart.getBytes(UTF_8), before -> {
            Set<String> items = items(before);
            items.add(item);
            return String.join(",", items).getBytes(UTF_8);
        });
    }

    public Set<String> items(String cart) {
        return items(store.get(cart.getBytes(UTF_8)));
    }

    private static Set<String> items(byte @Nullable [] value) {
        return value == null ? new TreeSet<>() : new TreeSet<>(Arrays.asList(new String(value, UTF_8).split(",", -1)));
    }
}
