package io.kvorum.core;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.kvorum.slots.HashSlot;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Random operations on the store and on a real server, whose answers must be the same. Skipped where none is installed.
 *
 * <p>What differs by design is put into one form before it is compared: a key that does not exist has no range here and
 * an empty one there, and renaming it is {@code false} here and an error there. To copy a key to itself is an error
 * there. A range that ends before the first byte is empty here; some servers return the first byte. Deadlines are
 * either long past or far ahead, so that both clocks agree about them.
 */
final class RealServerTest {
    private static final int OPERATIONS = Integer.getInteger("kvorum.server.operations", 50_000);
    private static final long SEED = Long.getLong("kvorum.server.seed", 1);
    private static final int PIPELINE = 100;
    private static final long PAST = 1_000_000_000_000L;
    private static final long FUTURE = 10_000_000_000_000L;
    private static final String NO_NUMBER = "no number";
    private static final String OVERFLOW = "overflow";
    private static final String NOT_COMPARED = "not compared";

    /** What both are asked, and the answers in one form. */
    private record Question(List<byte[]> command, Supplier<String> ours, Function<@Nullable Object, String> theirs) {
        @Override
        public String toString() {
            return command.stream()
                    .map(part -> new String(part, ISO_8859_1))
                    .toList()
                    .toString();
        }
    }

    private final SplittableRandom random = new SplittableRandom(SEED);
    private KeyValueStore store = new LocalStore();

    @ParameterizedTest
    @EnumSource
    void answersAsARealServerDoes(Tables tables, @TempDir Path directory) throws IOException {
        Optional<Path> program = RealServer.installed();
        assumeTrue(program.isPresent(), "neither valkey-server nor redis-server is on the PATH");
        store = new LocalStore(tables.settings(), SEED, InstantSource.system());
        Deque<String> last = new ArrayDeque<>();
        try (RealServer server = RealServer.start(program.orElseThrow(), directory)) {
            for (int done = 0; done < OPERATIONS; done += PIPELINE) {
                List<Question> questions = new ArrayList<>();
                for (int i = 0; i < PIPELINE; i++) {
                    questions.add(question());
                    server.send(questions.get(i).command());
                }
                server.flush();
                for (Question question : questions) {
                    last.addLast(question.toString());
                    if (last.size() > 20) {
                        last.removeFirst();
                    }
                    String ours = question.ours().get();
                    String theirs = question.theirs().apply(server.reply());
                    assertEquals(
                            ours.equals(NOT_COMPARED) ? ours : theirs,
                            ours,
                            () -> "seed " + SEED + ", the last questions: " + last);
                }
            }
        }
    }

    private Question question() {
        byte[] key = key();
        byte[] other = key();
        byte[] value = value();
        return switch (random.nextInt(30)) {
            case 0 -> asked(() -> bulk(store.get(key)), RealServerTest::same, "GET", key);
            case 1 -> asked(() -> done(() -> store.set(key, value)), RealServerTest::same, "SET", key, value);
            case 2, 3 -> set(key, value);
            case 4 -> {
                SetOptions options = options();
                yield asked(
                        () -> bulk(store.getAndSet(key, value, options).previous()),
                        RealServerTest::same,
                        with(words(options), "SET", key, value, "GET"));
            }
            case 5 -> {
                byte[] second = value();
                yield asked(
                        () -> done(() -> store.setAll(List.of(new Entry(key, value), new Entry(other, second)))),
                        RealServerTest::same,
                        "MSET",
                        key,
                        value,
                        other,
                        second);
            }
            case 6 ->
                asked(
                        () -> number(store.setAllIfAbsent(List.of(new Entry(key, value), new Entry(other, value)))),
                        RealServerTest::same,
                        "MSETNX",
                        key,
                        value,
                        other,
                        value);
            case 7 -> asked(() -> number(store.delete(key)), RealServerTest::same, "DEL", key);
            case 8 -> asked(() -> bulk(store.getAndDelete(key)), RealServerTest::same, "GETDEL", key);
            case 9 -> getAndExpire(key);
            case 10, 11, 12 -> increment(key);
            case 13 -> asked(() -> ":" + store.append(key, value), RealServerTest::same, "APPEND", key, value);
            case 14 -> {
                int offset = random.nextInt(50);
                yield asked(
                        () -> ":" + store.setRange(key, offset, value),
                        RealServerTest::same,
                        "SETRANGE",
                        key,
                        offset,
                        value);
            }
            case 15, 16 -> {
                long first = bound();
                long end = bound();
                yield asked(
                        () -> store.length(key) + end < 0
                                ? NOT_COMPARED
                                : bulk(Objects.requireNonNullElse(store.getRange(key, first, end), new byte[0])),
                        RealServerTest::same,
                        "GETRANGE",
                        key,
                        first,
                        end);
            }
            case 17 -> asked(() -> ":" + store.length(key), RealServerTest::same, "STRLEN", key);
            case 18 -> asked(() -> number(store.exists(key)), RealServerTest::same, "EXISTS", key);
            case 19 -> asked(() -> number(store.touch(key)), RealServerTest::same, "TOUCH", key);
            case 20 -> asked(() -> deadline(key), RealServerTest::same, "PEXPIRETIME", key);
            case 21, 22 -> expireAt(key);
            case 23 -> asked(() -> number(store.persist(key)), RealServerTest::same, "PERSIST", key);
            case 24 ->
                asked(
                        () -> store.rename(key, other) ? "+OK" : "-ERR no such key",
                        RealServerTest::same,
                        "RENAME",
                        key,
                        other);
            case 25 ->
                asked(
                        () -> number(store.renameIfAbsent(key, other)),
                        reply -> "-ERR no such key".equals(reply) ? ":0" : same(reply),
                        "RENAMENX",
                        key,
                        other);
            case 26 -> {
                byte[] to = bytesOf("{t}copy" + random.nextInt(3));
                yield random.nextBoolean()
                        ? asked(() -> number(store.copy(key, to)), RealServerTest::same, "COPY", key, to, "REPLACE")
                        : asked(() -> number(store.copyIfAbsent(key, to)), RealServerTest::same, "COPY", key, to);
            }
            case 27 ->
                asked( // DBSIZE counts what has expired and is not deleted yet
                        () -> ":" + store.keysInSlot(HashSlot.of(key), 100).size(),
                        RealServerTest::same,
                        "EVAL",
                        "return #redis.call('KEYS', '*')",
                        0);
            case 28 ->
                asked(
                        () -> store.getAll(List.of(key, other)).stream()
                                .map(RealServerTest::bulk)
                                .toList()
                                .toString(),
                        RealServerTest::same,
                        "MGET",
                        key,
                        other);
            default -> expireAfter(key);
        };
    }

    private Question set(byte[] key, byte[] value) {
        SetOptions options = options();
        return asked(
                () -> store.set(key, value, options) ? "+OK" : "nil",
                RealServerTest::same,
                with(words(options), "SET", key, value));
    }

    private SetOptions options() {
        SetOptions options = SetOptions.defaults();
        switch (random.nextInt(3)) {
            case 0 -> options = options.withCondition(SetOptions.Condition.IF_ABSENT);
            case 1 -> options = options.withCondition(SetOptions.Condition.IF_PRESENT);
            default -> {}
        }
        return switch (random.nextInt(3)) {
            case 0 -> options.withDeadlineKept();
            case 1 -> options.withDeadline(moment());
            default -> options;
        };
    }

    private static List<Object> words(SetOptions options) {
        List<Object> words = new ArrayList<>();
        if (options.condition() == SetOptions.Condition.IF_ABSENT) {
            words.add("NX");
        } else if (options.condition() == SetOptions.Condition.IF_PRESENT) {
            words.add("XX");
        }
        if (options.life().kind() == Life.Kind.KEPT) {
            words.add("KEEPTTL");
        } else if (options.life().kind() == Life.Kind.UNTIL) {
            words.add("PXAT");
            words.add(options.life().millis());
        }
        return words;
    }

    private Question getAndExpire(byte[] key) {
        long moment = moment();
        return random.nextBoolean()
                ? asked(
                        () -> bulk(store.getAndExpire(key, Life.until(moment))),
                        RealServerTest::same,
                        "GETEX",
                        key,
                        "PXAT",
                        moment)
                : asked(
                        () -> bulk(store.getAndExpire(key, Life.forever())),
                        RealServerTest::same,
                        "GETEX",
                        key,
                        "PERSIST");
    }

    private Question increment(byte[] key) {
        long delta = random.nextInt(4) == 0 ? random.nextLong() : random.nextInt(-10, 10);
        return asked(
                () -> {
                    try {
                        return ":" + store.increment(key, delta);
                    } catch (NumberFormatException e) {
                        return NO_NUMBER;
                    } catch (ArithmeticException e) {
                        return OVERFLOW;
                    }
                },
                reply -> switch (same(reply)) {
                    case "-ERR value is not an integer or out of range" -> NO_NUMBER;
                    case "-ERR increment or decrement would overflow" -> OVERFLOW;
                    default -> same(reply);
                },
                "INCRBY",
                key,
                delta);
    }

    private Question expireAt(byte[] key) {
        long moment = moment();
        return switch (random.nextInt(5)) {
            case 0 -> expireAt(key, moment, ExpireCondition.IF_NONE, "NX");
            case 1 -> expireAt(key, moment, ExpireCondition.IF_ANY, "XX");
            case 2 -> expireAt(key, moment, ExpireCondition.IF_LATER, "GT");
            case 3 -> expireAt(key, moment, ExpireCondition.IF_EARLIER, "LT");
            default -> asked(() -> number(store.expireAt(key, moment)), RealServerTest::same, "PEXPIREAT", key, moment);
        };
    }

    private Question expireAt(byte[] key, long moment, ExpireCondition condition, String word) {
        return asked(
                () -> number(store.expire(key, Life.until(moment), condition)),
                RealServerTest::same,
                "PEXPIREAT",
                key,
                moment,
                word);
    }

    /** By clocks that differ a little, so both are given the same deadline right afterwards. */
    private Question expireAfter(byte[] key) {
        long millis = 1_000_000_000L + random.nextInt(1_000);
        long moment = FUTURE + random.nextInt(1_000);
        String both = "return redis.call('PEXPIRE', KEYS[1], ARGV[1]) + redis.call('PEXPIREAT', KEYS[1], ARGV[2])";
        return asked(
                () -> {
                    int changed = store.expireAfter(key, Duration.ofMillis(millis)) ? 1 : 0;
                    return ":" + (changed + (store.expireAt(key, moment) ? 1 : 0));
                },
                RealServerTest::same,
                "EVAL",
                both,
                1,
                key,
                millis,
                moment);
    }

    // ---- what is drawn

    private byte[] key() {
        return bytesOf("{t}" + random.nextInt(8));
    }

    private byte[] value() {
        return switch (random.nextInt(8)) {
            case 0 -> bytesOf("");
            case 1 -> bytesOf(Long.toString(random.nextLong()));
            case 2 ->
                bytesOf(List.of("0", "-0", "01", " 1", "1 ", "+1", "-", "9223372036854775807", "1.5")
                        .get(random.nextInt(9)));
            case 3, 4 -> bytesOf(Integer.toString(random.nextInt(-1_000, 1_000)));
            case 5 -> new byte[random.nextInt(3_000)];
            default -> {
                byte[] bytes = new byte[random.nextInt(40)];
                random.nextBytes(bytes);
                yield bytes;
            }
        };
    }

    private long moment() {
        return random.nextInt(4) == 0 ? PAST + random.nextInt(1_000) : FUTURE + random.nextInt(1_000);
    }

    private long bound() {
        return switch (random.nextInt(6)) {
            case 0 -> Long.MAX_VALUE - random.nextInt(3);
            case 1 -> Long.MIN_VALUE + random.nextInt(3);
            default -> random.nextInt(-60, 60);
        };
    }

    // ---- forms

    private static Question asked(Supplier<String> ours, Function<@Nullable Object, String> theirs, Object... command) {
        List<byte[]> parts = new ArrayList<>();
        for (Object part : command) {
            parts.add(part instanceof byte[] bytes ? bytes : bytesOf(part.toString()));
        }
        return new Question(parts, ours, theirs);
    }

    private static Object[] with(List<Object> more, Object... command) {
        List<Object> all = new ArrayList<>(List.of(command));
        all.addAll(more);
        return all.toArray();
    }

    private static byte[] bytesOf(String text) {
        return text.getBytes(ISO_8859_1);
    }

    private static String same(@Nullable Object reply) {
        if (reply instanceof List<?> parts) {
            return parts.stream().map(RealServerTest::same).toList().toString();
        }
        return reply == null ? "nil" : reply.toString();
    }

    private static String bulk(byte @Nullable [] value) {
        return value == null ? "nil" : "$" + new String(value, ISO_8859_1);
    }

    private static String number(boolean did) {
        return did ? ":1" : ":0";
    }

    private static String done(Runnable action) {
        action.run();
        return "+OK";
    }

    private String deadline(byte[] key) {
        OptionalLong deadline = store.deadlineOf(key);
        return ":" + (deadline.isPresent() ? deadline.getAsLong() : store.exists(key) ? -1 : -2);
    }
}
