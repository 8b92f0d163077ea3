package io.kvorum.failover;

import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * Items in the order in which they are due, so that a step looks at those that are due and at no other. Times are
 * compared by their difference, since the clock may wrap.
 */
final class DueTimes<T extends DueTimes.Item> {
    /** Something that is due at some time. */
    abstract static class Item {
        @Nullable
        Place<?> place;
    }

    private record Place<T>(T item, long at, long order) {}

    private final PriorityQueue<Place<T>> queue = new PriorityQueue<>((a, b) -> {
        long difference = a.at - b.at;
        return difference != 0 ? Long.signum(difference) : Long.compare(a.order, b.order);
    });
    private long order;

    /** Sets when an item is due, in place of any time set before. */
    void set(T item, long at) {
        Place<?> current = item.place;
        if (current != null && current.at == at) {
            return;
        }
        if (current != null) {
            queue.remove(current);
        }
        Place<T> place = new Place<>(item, at, order++);
        item.place = place;
        queue.add(place);
    }

    void remove(T item) {
        queue.remove(item.place);
        item.place = null;
    }

    boolean isEmpty() {
        return queue.isEmpty();
    }

    /** {@return when the first item is due; there must be one} */
    long first() {
        return queue.element().at;
    }

    /** {@return the items that are due, in order; each is to be set again} */
    List<T> takeDue(long now) {
        List<T> taken = new ArrayList<>();
        Place<T> next = queue.peek();
        while (next != null && now - next.at >= 0) {
            queue.remove();
            T item = next.item;
            item.place = null;
            taken.add(item);
            next = queue.peek();
        }
        return taken;
    }
}
