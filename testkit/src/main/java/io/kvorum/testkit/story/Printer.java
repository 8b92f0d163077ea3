package io.kvorum.testkit.story;

import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Prints the story, and remembers what went otherwise than promised.
 *
 * <p>Confined to one thread.
 */
final class Printer {
    private final PrintStream out;
    private int steps;
    private int broken;

    Printer(PrintStream out) {
        this.out = out;
    }

    /** Begins a step. */
    void step(String title) {
        steps++;
        out.printf(Locale.ROOT, "%n%d. %s%n", steps, title);
    }

    /** Says something. */
    void say(String format, @Nullable Object... arguments) {
        out.println("   " + String.format(Locale.ROOT, format, arguments));
    }

    /** Says whether a promise was kept. */
    void promise(boolean kept, String format, @Nullable Object... arguments) {
        if (!kept) {
            broken++;
        }
        say((kept ? "ok: " : "BROKEN: ") + format, arguments);
    }

    /** {@return how many promises were broken} */
    int broken() {
        return broken;
    }

    /** Prints rows in columns that are as wide as their widest cell. The first row is the heading. */
    void table(List<List<String>> rows) {
        int[] widths = new int[rows.get(0).size()];
        for (List<String> row : rows) {
            for (int column = 0; column < widths.length; column++) {
                widths[column] = Math.max(widths[column], row.get(column).length());
            }
        }
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int column = 0; column < widths.length; column++) {
                String cell = row.get(column);
                line.append(cell).append(" ".repeat(widths[column] - cell.length() + 2));
            }
            say("%s", line.toString().stripTrailing());
        }
    }
}
