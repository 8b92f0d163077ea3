package io.kvorum.core.snapshot;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Gives every target of the fuzzer the inputs of its corpus, in {@code src/test/resources/fuzz}, and some thousands
 * that are made of them by a seed. What a fuzzer finds is added to the corpus.
 */
@Timeout(120)
@Tag("long")
final class FuzzRegressionTest {
    private static final int MUTATIONS = 4_000;
    private static final int MAX_LENGTH = 4_096;
    private static final int[] TELLING = {0, 1, 7, 127, 128, 255};

    @ParameterizedTest
    @EnumSource
    void endsAsPromisedOnEveryInputOfItsCorpus(FuzzTarget target) {
        for (byte[] input : corpus(target)) {
            run(target, input, "corpus");
        }
    }

    @ParameterizedTest
    @EnumSource
    void endsAsPromisedOnWhateverIsMadeOfItsCorpus(FuzzTarget target) {
        List<byte[]> corpus = corpus(target);
        for (int seed = 1; seed <= MUTATIONS; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            byte[] input = corpus.get(random.nextInt(corpus.size()));
            for (int i = 1 + random.nextInt(4); i > 0; i--) {
                input = mutate(input, corpus, random);
            }
            run(target, input, "seed=" + seed);
        }
    }

    private static void run(FuzzTarget target, byte[] input, String origin) {
        try {
            target.run(input);
        } catch (RuntimeException | AssertionError e) {
            throw new AssertionError(
                    target + ", " + origin + ", input " + HexFormat.of().formatHex(input), e);
        }
    }

    private static byte[] mutate(byte[] input, List<byte[]> corpus, SplittableRandom random) {
        int at = random.nextInt(input.length + 1);
        byte[] head = Arrays.copyOf(input, at);
        byte[] tail = Arrays.copyOfRange(input, at, input.length);
        int part = Math.min(tail.length, 1 + random.nextInt(8));
        byte[] rest = Arrays.copyOfRange(tail, part, tail.length);
        byte[] other = corpus.get(random.nextInt(corpus.size()));
        byte[] random4 = new byte[1 + random.nextInt(4)];
        random.nextBytes(random4);
        byte[] telling = {(byte) TELLING[random.nextInt(TELLING.length)]};
        return switch (random.nextInt(8)) {
            case 0 -> head;
            case 1 -> join(head, rest);
            case 2 -> join(head, Arrays.copyOf(tail, part), tail);
            case 3 -> join(head, random4, tail);
            case 4 -> join(head, random4, Arrays.copyOfRange(tail, Math.min(tail.length, random4.length), tail.length));
            case 5 -> join(head, Arrays.copyOfRange(other, random.nextInt(other.length + 1), other.length));
            default -> join(head, telling, Arrays.copyOfRange(tail, Math.min(1, tail.length), tail.length));
        };
    }

    private static byte[] join(byte[]... parts) {
        int length = 0;
        for (byte[] part : parts) {
            length += part.length;
        }
        byte[] joined = new byte[length];
        int at = 0;
        for (byte[] part : parts) {
            System.arraycopy(part, 0, joined, at, part.length);
            at += part.length;
        }
        return length > MAX_LENGTH ? Arrays.copyOf(joined, MAX_LENGTH) : joined;
    }

    private static List<byte[]> corpus(FuzzTarget target) {
        URL directory = Objects.requireNonNull(
                FuzzRegressionTest.class.getResource("/fuzz/" + target), "the corpus of a target");
        List<byte[]> inputs = new ArrayList<>();
        try (Stream<Path> files = Files.list(Path.of(directory.toURI()))) {
            for (Path file : files.sorted().toList()) {
                inputs.add(Files.readAllBytes(file));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
        return inputs;
    }
}
