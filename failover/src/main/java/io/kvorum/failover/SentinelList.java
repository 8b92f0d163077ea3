package io.kvorum.failover;

import static java.util.Objects.requireNonNull;

import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.NodeId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * All sentinels of a cluster, each with its number.
 *
 * <p>The number goes into every epoch that a sentinel takes and makes that epoch its own. All sentinels must be given
 * the same list, and a number must never be given to another sentinel later on, even if its first holder is gone.
 *
 * <p>Immutable.
 *
 * @param sentinels the sentinels, in ascending order of their numbers
 */
public record SentinelList(List<Numbered> sentinels) {
    /**
     * A sentinel and its number.
     *
     * @param id the sentinel
     * @param number its number, 1 to {@link Epoch#MAX_CANDIDATE}
     */
    public record Numbered(NodeId id, int number) {
        /**
         * Checks the parts.
         *
         * @throws IllegalArgumentException if {@code number} is out of range
         */
        public Numbered {
            requireNonNull(id, "id");
            if (number < 1 || number > Epoch.MAX_CANDIDATE) {
                throw new IllegalArgumentException(
                        "number of " + id + " must be between 1 and " + Epoch.MAX_CANDIDATE + ": " + number);
            }
        }
    }

    /**
     * Sorts and checks the sentinels.
     *
     * @throws IllegalArgumentException if there is none, or an id or a number occurs twice
     */
    public SentinelList {
        sentinels = sentinels.stream()
                .sorted(Comparator.comparingInt(Numbered::number))
                .toList();
        if (sentinels.isEmpty()) {
            throw new IllegalArgumentException("sentinels must not be empty");
        }
        for (int i = 0; i < sentinels.size(); i++) {
            for (int j = 0; j < i; j++) {
                if (sentinels.get(i).id().equals(sentinels.get(j).id())) {
                    throw new IllegalArgumentException(
                            "sentinel must be listed once: " + sentinels.get(i).id());
                }
                if (sentinels.get(i).number() == sentinels.get(j).number()) {
                    throw new IllegalArgumentException("number must belong to one sentinel: "
                            + sentinels.get(i).number() + " is that of "
                            + sentinels.get(j).id() + " and "
                            + sentinels.get(i).id());
                }
            }
        }
    }

    /**
     * Numbers sentinels from 1, in the given order.
     *
     * @param ids the sentinels
     * @return the list
     * @throws IllegalArgumentException if there is none or one occurs twice
     */
    public static SentinelList of(NodeId... ids) {
        return of(List.of(ids));
    }

    /**
     * Numbers sentinels from 1, in the given order.
     *
     * @param ids the sentinels
     * @return the list
     * @throws IllegalArgumentException if there is none or one occurs twice
     */
    public static SentinelList of(List<NodeId> ids) {
        List<Numbered> numbered = new ArrayList<>(ids.size());
        for (NodeId id : ids) {
            numbered.add(new Numbered(id, numbered.size() + 1));
        }
        return new SentinelList(numbered);
    }

    /**
     * Lists sentinels with declared numbers.
     *
     * @param numbers the number of each sentinel
     * @return the list
     * @throws IllegalArgumentException if there is none, or a number is out of range or occurs twice
     */
    public static SentinelList numbered(Map<NodeId, Integer> numbers) {
        return new SentinelList(numbers.entrySet().stream()
                .map(entry -> new Numbered(entry.getKey(), entry.getValue()))
                .toList());
    }

    /** {@return the ids, in the order of the numbers} */
    public List<NodeId> ids() {
        return sentinels.stream().map(Numbered::id).toList();
    }

    /** {@return how many sentinels there are} */
    public int size() {
        return sentinels.size();
    }

    /** {@return the smallest number of sentinels that is more than half} */
    public int majority() {
        return sentinels.size() / 2 + 1;
    }

    /** {@return whether a sentinel is listed} */
    public boolean contains(NodeId id) {
        return indexOf(id) >= 0;
    }

    /**
     * Returns the number of a sentinel.
     *
     * @param id the sentinel
     * @return its number
     * @throws IllegalArgumentException if it is not listed
     */
    public int numberOf(NodeId id) {
        int index = indexOf(id);
        if (index < 0) {
            throw new IllegalArgumentException("sentinel must be one of " + ids() + ": " + id);
        }
        return sentinels.get(index).number();
    }

    /** {@return the place of a sentinel in the order of the numbers, from 0; negative if it is not listed} */
    int indexOf(NodeId id) {
        for (int i = 0; i < sentinels.size(); i++) {
            if (sentinels.get(i).id().equals(id)) {
                return i;
            }
        }
        return -1;
    }

    /** {@return the ids in brackets} */
    @Override
    public String toString() {
        return ids().toString();
    }
}
