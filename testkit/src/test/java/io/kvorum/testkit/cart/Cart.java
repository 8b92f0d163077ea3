package io.kvorum.testkit.cart;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What somebody wants to buy.
 *
 * @param items how many of which
 * @param requests the requests that made it so; an application would forget old ones
 * @param changed when it was changed last, in milliseconds of the time of day
 */
record Cart(Map<String, Integer> items, List<String> requests, long changed) {
    static final Cart EMPTY = new Cart(Map.of(), List.of(), 0);

    Cart {
        items = Map.copyOf(items);
        requests = List.copyOf(requests);
    }

    Cart with(String item, int count, String request, long now) {
        Map<String, Integer> more = new TreeMap<>(items);
        more.merge(item, count, Integer::sum);
        List<String> known = new ArrayList<>(requests);
        known.add(request);
        return new Cart(more, known, now);
    }

    int count() {
        return items.values().stream().mapToInt(Integer::intValue).sum();
    }

    byte[] encode() {
        StringBuilder text = new StringBuilder().append(changed);
        new TreeMap<>(items)
                .forEach((item, count) ->
                        text.append(';').append(item).append('=').append(count));
        return text.append('|').append(String.join(",", requests)).toString().getBytes(UTF_8);
    }

    static Cart decode(byte @Nullable [] value) {
        if (value == null) {
            return EMPTY;
        }
        String text = new String(value, UTF_8);
        int bar = text.indexOf('|');
        String[] parts = text.substring(0, bar).split(";", -1);
        Map<String, Integer> items = new TreeMap<>();
        for (int i = 1; i < parts.length; i++) {
            int equals = parts[i].indexOf('=');
            items.put(parts[i].substring(0, equals), Integer.valueOf(parts[i].substring(equals + 1)));
        }
        String requests = text.substring(bar + 1);
        return new Cart(
                items, requests.isEmpty() ? List.of() : List.of(requests.split(",", -1)), Long.parseLong(parts[0]));
    }
}
