package io.kvorum.testkit.history;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import io.kvorum.core.KeyValueStore;
import io.kvorum.testkit.history.Verdict.Result;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A record of what clients did to the keys of a store, and saw of them, with the times of each operation.
 *
 * <p>Only operations of {@linkplain #client recorded clients} are in it. A key that is also written otherwise cannot be
 * judged.
 *
 * <p>Safe for use by any number of threads.
 */
public final class History {
    private static final int MAX_STEPS = 1_000_000;

    private final LongSupplier clock;
    private final Map<ByteBuffer, List<Recorded>> keys = new LinkedHashMap<>();
    private final Map<ByteBuffer, Long> numbers = new HashMap<>();
    private long operations;

    /** An operation of a client. */
    private record Recorded(String client, Call<RegisterOperation> call) {
        boolean isWrite() {
            return call.operation().write();
        }

        long value() {
            return call.operation().value();
        }
    }

    /**
     * Makes an empty history.
     *
     * @param nanoClock the time by which operations are ordered, in nanoseconds, one clock for all clients; such as
     *     that of the {@code scheduler()} of a {@code LocalCluster}
     */
    public History(LongSupplier nanoClock) {
        clock = requireNonNull(nanoClock, "nanoClock");
    }

    /**
     * {@return a client whose operations are recorded}
     *
     * @param name its name, one for each client that does one thing after another: session guarantees go by it
     * @param store the store that it uses
     */
    public RecordedClient client(String name, KeyValueStore store) {
        return new RecordedClient(this, name, store);
    }

    long now() {
        return clock.getAsLong();
    }

    /** {@return the number that stands for a value} */
    synchronized long number(byte @Nullable [] value) {
        if (value == null) {
            return RegisterOperation.ABSENT;
        }
        ByteBuffer content = ByteBuffer.wrap(value);
        Long known = numbers.get(content);
        if (known == null) {
            known = numbers.size() + 1L;
            numbers.put(ByteBuffer.wrap(value.clone()), known);
        }
        return known;
    }

    synchronized void add(String client, byte[] key, RegisterOperation operation, long invoked, long returned) {
        operations++;
        keys.computeIfAbsent(ByteBuffer.wrap(key.clone()), any -> new ArrayList<>())
                .add(new Recorded(client, new Call<>(operation, invoked, returned)));
    }

    /** {@return how many operations are recorded} */
    public synchronized long operations() {
        return operations;
    }

    /** {@return how many writes have an outcome that nobody knows} */
    public synchronized long unknown() {
        return keys.values().stream()
                .flatMap(List::stream)
                .filter(recorded -> recorded.call.isOpen())
                .count();
    }

    /**
     * {@return the calls of a key, in the order in which they ended} Values are numbered from 1 on; 0 is none.
     *
     * @param key the key
     */
    public synchronized List<Call<RegisterOperation>> calls(byte[] key) {
        return keys.getOrDefault(ByteBuffer.wrap(key), List.of()).stream()
                .map(Recorded::call)
                .toList();
    }

    /**
     * {@return a line for each key that did not behave as one register, or of which that could not be told within a
     * million steps of a search; empty if all did}
     */
    public synchronized List<String> linearizabilityViolations() {
        List<String> violations = new ArrayList<>();
        keys.forEach((key, recorded) -> {
            Verdict verdict = judge(recorded);
            if (verdict.result() == Result.NOT_LINEARIZABLE) {
                violations.add(name(key) + " is not linearizable: " + verdict.reason());
            } else if (verdict.result() == Result.UNKNOWN) {
                violations.add(name(key) + " may be linearizable or not: " + verdict.reason());
            }
        });
        return violations;
    }

    private static Verdict judge(List<Recorded> recorded) {
        List<Call<RegisterOperation>> calls =
                recorded.stream().map(Recorded::call).toList();
        Set<Long> written = new HashSet<>();
        boolean unique = recorded.stream()
                .allMatch(each ->
                        !each.isWrite() || each.value() == RegisterOperation.ABSENT || written.add(each.value()));
        return unique
                ? RegisterHistories.check(calls, MAX_STEPS)
                : ExhaustiveSearch.check(calls, RegisterOperation.MODEL, MAX_STEPS);
    }

    /**
     * {@return a line for each read by which a client went back behind a write of its own, or behind what it had read
     * before; empty if none did} A value counts as older than another only if the last write of it had returned before
     * any write of the other was begun: so each line is true, but in a close race a step back may go unnoticed.
     */
    public synchronized List<String> sessionViolations() {
        List<String> violations = new ArrayList<>();
        keys.forEach((key, recorded) -> {
            Values values = new Values(recorded);
            Map<String, Recorded> latest = new HashMap<>(); // of each client: what it must not go back behind
            for (Recorded each : recorded) {
                if (each.call.isOpen()) {
                    continue;
                }
                Recorded before = latest.get(each.client);
                if (!each.isWrite() && before != null && values.isOlder(each.value(), before)) {
                    violations.add(each.client + " read " + name(key) + " and saw less than before: " + each.call
                            + " after " + before.call);
                }
                latest.put(each.client, each);
            }
        });
        return violations;
    }

    /**
     * Compares acknowledged writes with what a store holds in the end, once nobody writes any more. A key whose value
     * nobody in this history wrote shows nothing: somebody else may have written it since.
     *
     * @param reader reads a key of the store at last
     * @return how many acknowledged writes are lost for certain
     */
    public synchronized Losses losses(Function<? super byte[], byte @Nullable []> reader) {
        long now = now();
        long acknowledged = 0;
        long lost = 0;
        long oldest = now;
        List<String> details = new ArrayList<>();
        for (Map.Entry<ByteBuffer, List<Recorded>> entry : keys.entrySet()) {
            Values values = new Values(entry.getValue());
            long found = number(reader.apply(bytes(entry.getKey())));
            int lostHere = 0;
            for (Recorded each : entry.getValue()) {
                if (each.isWrite() && !each.call.isOpen()) {
                    acknowledged++;
                    if (values.isOlder(found, each)) {
                        lostHere++;
                        oldest = Math.min(oldest, each.call.returned());
                    }
                }
            }
            if (lostHere > 0) {
                lost += lostHere;
                details.add(name(entry.getKey()) + " lost " + lostHere + " acknowledged writes");
            }
        }
        return new Losses(acknowledged, lost, Duration.ofNanos(now - oldest), details);
    }

    private static byte[] bytes(ByteBuffer key) {
        byte[] bytes = new byte[key.remaining()];
        key.duplicate().get(bytes);
        return bytes;
    }

    /** {@return the name of a key for a reader: its text if it is one, else its bytes} */
    private static String name(ByteBuffer key) {
        byte[] bytes = bytes(key);
        String text = new String(bytes, UTF_8);
        boolean readable = text.chars().allMatch(c -> c >= ' ' && c < 0x7f);
        return "key " + (readable ? text : HexFormat.of().formatHex(bytes));
    }

    /** {@return the number of operations, and of those whose outcome is unknown} */
    @Override
    public String toString() {
        return "History[" + operations() + " operations, " + unknown() + " of unknown outcome]";
    }

    /** When each value of a key was written. */
    private static final class Values {
        private static final class Span {
            long firstInvoked = Long.MAX_VALUE;
            long lastReturned = Long.MIN_VALUE;
        }

        private final Map<Long, Span> spans = new HashMap<>();

        Values(List<Recorded> recorded) {
            Span absent = new Span(); // at the start
            absent.firstInvoked = Long.MIN_VALUE;
            spans.put(RegisterOperation.ABSENT, absent);
            for (Recorded each : recorded) {
                if (each.isWrite()) {
                    Span span = spans.computeIfAbsent(each.value(), any -> new Span());
                    span.firstInvoked = Math.min(span.firstInvoked, each.call.invoked());
                    span.lastReturned = Math.max(span.lastReturned, each.call.returned());
                }
            }
        }

        /** {@return whether a value was gone for good before what a call wrote or saw could be there} */
        boolean isOlder(long value, Recorded than) {
            Span found = spans.get(value);
            Span other = spans.get(than.value());
            if (found == null || other == null || found == other) {
                return false; // a value that nobody wrote is for the other checker
            }
            return found.lastReturned < (than.isWrite() ? than.call.invoked() : other.firstInvoked);
        }
    }
}
