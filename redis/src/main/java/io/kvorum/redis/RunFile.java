package io.kvorum.redis;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Remembers in which run of the server its data was complete. To lose it costs a sync. Confined to one thread. */
final class RunFile {
    private static final System.Logger logger = System.getLogger(RunFile.class.getName());

    private final Path file;
    private String runId;

    RunFile(Path file) throws IOException {
        this.file = file;
        String known = "";
        try {
            known = Files.readString(file, US_ASCII);
        } catch (NoSuchFileException e) {
            known = ""; // nothing was ever complete here
        }
        runId = known;
    }

    boolean isOf(ServerState state) {
        return !runId.isEmpty() && runId.equals(state.runId());
    }

    void keep(ServerState state) {
        write(state.runId());
    }

    void forget() {
        write("");
    }

    /** If it cannot be written, the node knows it as long as it runs. */
    private void write(String newRunId) {
        if (runId.equals(newRunId)) {
            return;
        }
        runId = newRunId;
        try {
            Path next = file.resolveSibling(file.getFileName() + ".next");
            Files.writeString(next, newRunId, US_ASCII);
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            logger.log(Level.WARNING, () -> "the run of a server could not be kept in " + file, e);
        }
    }
}
