package io.kvorum.testkit.history;

import io.kvorum.testkit.history.Verdict.Result;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Checks a history against any sequential model, by searching for an order (Wing and Gong, "Testing and verifying
 * concurrent objects", 1993) and remembering which states were reached with which calls done (Lowe, "Testing for
 * linearizability", 2017).
 *
 * <p>The question is NP-complete and the search exponential in the number of calls at one time, so it has a budget. Two
 * prunings keep it from drowning in open calls: one that would not change the state is left out, and of open calls that
 * do the same only the one invoked first is tried, since in any order the two could be exchanged.
 *
 * <p>Confined to one thread; used once.
 *
 * @param <S> the states of the model
 * @param <O> its operations
 */
public final class ExhaustiveSearch<S, O> {
    private final SequentialModel<S, O> model;
    private final Entry<O> ends = new Entry<>(null, null, 0, -1); // of the circular list; counts as a return
    private final Deque<Choice<S, O>> order = new ArrayDeque<>();
    private final Set<Reached<S>> reached = new HashSet<>();
    private final BitSet done = new BitSet();
    private S state;
    private int toPlace;
    private int mostPlaced;
    private @Nullable Call<O> unplaced;

    private ExhaustiveSearch(List<Call<O>> history, SequentialModel<S, O> model) {
        this.model = model;
        this.state = model.initial();
        link(history);
    }

    /**
     * Searches for an order.
     *
     * @param history the calls, in any order
     * @param model what they were done to
     * @param maxSteps how many entries the search may visit before it gives up
     * @return the verdict; {@link Result#UNKNOWN} if the budget was spent
     * @param <S> the states of the model
     * @param <O> its operations
     */
    public static <S, O> Verdict check(List<Call<O>> history, SequentialModel<S, O> model, int maxSteps) {
        return new ExhaustiveSearch<>(history, model).run(maxSteps);
    }

    /** Lists invocations and returns by time; at one time the invocations first, since such calls may overlap. */
    private void link(List<Call<O>> history) {
        List<Entry<O>> entries = new ArrayList<>();
        for (int i = 0; i < history.size(); i++) {
            Call<O> call = history.get(i);
            Entry<O> invocation = new Entry<>(call, null, call.invoked(), i);
            entries.add(invocation);
            if (!call.isOpen()) {
                invocation.matching = new Entry<>(null, call, call.returned(), i);
                entries.add(invocation.matching);
                toPlace++;
            }
        }
        entries.sort(
                Comparator.comparingLong((Entry<O> entry) -> entry.time).thenComparing(entry -> entry.call == null));
        entries.forEach(entry -> entry.insertBefore(ends));
    }

    private Verdict run(int maxSteps) {
        Entry<O> entry = ends.next;
        for (int steps = 0; toPlace > 0; steps++) {
            if (steps == maxSteps) {
                return Verdict.unknown("no answer within " + maxSteps + " steps");
            }
            if (entry.call == null) { // a call that isn't placed yet has returned: some choice was wrong
                if (order.size() >= mostPlaced) {
                    mostPlaced = order.size();
                    unplaced = entry.returning;
                }
                if (order.isEmpty()) {
                    return Verdict.refuted("no order exists; after " + mostPlaced + " calls none leads to " + unplaced);
                }
                entry = takeBack().next;
            } else {
                entry = place(entry, entry.call) ? ends.next : entry.next;
            }
        }
        return Verdict.LINEARIZABLE;
    }

    /** Makes the call the next in the order, unless it doesn't fit or leads nowhere new. */
    private boolean place(Entry<O> entry, Call<O> call) {
        S after = model.next(state, call.operation());
        if (after == null || (call.isOpen() && (after.equals(state) || hasEarlierTwin(entry, call)))) {
            return false;
        }
        done.set(entry.index);
        if (!reached.add(new Reached<>((BitSet) done.clone(), after))) {
            done.clear(entry.index);
            return false;
        }
        order.addLast(new Choice<>(entry, call, state));
        state = after;
        if (!call.isOpen()) {
            toPlace--;
        }
        entry.unlink();
        return true;
    }

    private boolean hasEarlierTwin(Entry<O> entry, Call<O> call) {
        for (Entry<O> e = ends.next; e != entry; e = e.next) {
            if (e.call != null && e.call.isOpen() && e.call.operation().equals(call.operation())) {
                return true;
            }
        }
        return false;
    }

    private Entry<O> takeBack() {
        Choice<S, O> last = order.removeLast();
        state = last.before;
        done.clear(last.entry.index);
        if (!last.call.isOpen()) {
            toPlace++;
        }
        last.entry.relink();
        return last.entry;
    }

    private record Choice<S, O>(Entry<O> entry, Call<O> call, S before) {}

    private record Reached<S>(BitSet done, S state) {}

    /** The invocation of a call, or (where {@code call} is null) a return. */
    private static final class Entry<O> {
        final @Nullable Call<O> call;
        final @Nullable Call<O> returning;
        final int index;
        final long time;

        @Nullable
        Entry<O> matching;

        Entry<O> previous = this;
        Entry<O> next = this;

        Entry(@Nullable Call<O> call, @Nullable Call<O> returning, long time, int index) {
            this.call = call;
            this.returning = returning;
            this.time = time;
            this.index = index;
        }

        void insertBefore(Entry<O> successor) {
            previous = successor.previous;
            next = successor;
            previous.next = this;
            successor.previous = this;
        }

        void unlink() {
            previous.next = next;
            next.previous = previous;
            if (matching != null) {
                matching.unlink();
            }
        }

        /** Undoes the last {@link #unlink()}; the neighbours were kept, as in Knuth's dancing links. */
        void relink() {
            if (matching != null) {
                matching.relink();
            }
            previous.next = this;
            next.previous = this;
        }
    }
}
