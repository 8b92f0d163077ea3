package io.kvorum.testkit.simulation;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.failover.Sentinel;
import io.kvorum.replication.ShardNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * Seeds that are others in each commit, so that the build sees more of them as time goes by, and the same whenever that
 * commit is built again. {@code -Dkvorum.sim.commit=C} names the commit; without it the compiled classes of the
 * protocols stand for it.
 */
final class DrawnSeeds {
    private static final long LOWEST = 1_000_000; // the build's fixed seeds, and those of a soak, are below
    private static final String COMMIT = System.getProperty("kvorum.sim.commit", "");

    private DrawnSeeds() {}

    /** {@return the first of the seeds; the others follow it} */
    static long first() throws Exception {
        CRC32C hash = new CRC32C();
        if (COMMIT.isEmpty()) {
            for (Class<?> protocol : List.of(ShardNode.class, Sentinel.class)) {
                update(
                        hash,
                        Path.of(protocol.getProtectionDomain()
                                .getCodeSource()
                                .getLocation()
                                .toURI()));
            }
        } else {
            hash.update(COMMIT.getBytes(UTF_8));
        }
        return LOWEST + hash.getValue();
    }

    /** Takes in a file, or all files of a directory. */
    private static void update(CRC32C hash, Path classes) throws IOException {
        try (Stream<Path> files = Files.walk(classes)) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                hash.update(Files.readAllBytes(file));
            }
        }
    }
}
