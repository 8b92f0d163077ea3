package io.kvorum.core.snapshot;

/**
 * What a fuzzer calls; its argument is the name of a {@link FuzzTarget}. {@code mvn -Pfuzz -pl core -am verify
 * -Dfuzz.target=GLOB -Dfuzz.seconds=600} runs it, and leaves what it finds in {@code core/target/fuzz}.
 */
public final class Fuzzing {
    private static FuzzTarget target = FuzzTarget.SNAPSHOT;

    private Fuzzing() {}

    /**
     * Chooses the target.
     *
     * @param arguments its name
     */
    public static void fuzzerInitialize(String[] arguments) {
        target = FuzzTarget.valueOf(arguments[0]);
    }

    /**
     * Runs the target.
     *
     * @param input what to give it
     */
    public static void fuzzerTestOneInput(byte[] input) {
        target.run(input);
    }
}
