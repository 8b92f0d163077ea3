package io.kvorum.slots.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.ResourceBundle;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class OperatorLogTest {
    private final List<String> lines = new ArrayList<>();
    private @Nullable Error failure;

    private final OperatorLog log = OperatorLog.to(new Logger() {
        @Override
        public String getName() {
            return "test";
        }

        @Override
        public boolean isLoggable(Level level) {
            return level != Level.DEBUG;
        }

        @Override
        public void log(Level level, @Nullable ResourceBundle bundle, String line, @Nullable Throwable thrown) {
            lines.add(level + " " + line + " " + thrown);
        }

        @Override
        public void log(Level level, @Nullable ResourceBundle bundle, String line, Object... values) {
            if (failure != null) {
                throw failure;
            }
            lines.add(level + " " + line);
        }
    });

    @Test
    void linesOfAnEnabledLevelAreWritten() {
        log.log(Level.DEBUG, () -> {
            throw new AssertionError("not to be made");
        });
        log.log(Level.INFO, () -> "a line");
        log.log(Level.WARNING, () -> "another", new IllegalStateException("why"));

        assertEquals(List.of("INFO a line", "WARNING another java.lang.IllegalStateException: why"), lines);
    }

    @Test
    void aHandlerThatThrowsLosesTheLineOnly() {
        long before = OperatorLog.lostLines();
        failure = new AssertionError("disk full");
        log.log(Level.INFO, () -> "a line");

        assertEquals(before + 1, OperatorLog.lostLines());
    }
}
