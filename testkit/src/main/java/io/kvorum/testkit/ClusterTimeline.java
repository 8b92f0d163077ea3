package io.kvorum.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What has happened in a {@link LocalCluster}: as lines, as newline-delimited JSON, and as a page that shows it.
 *
 * <p>The page has a lane for each node and sentinel, with the role of a node as its colour, faults as bars, epochs as
 * ticks, and arrows for what sentinels did to nodes. It needs no network, and can be used by the keyboard.
 *
 * <p>Immutable.
 */
public final class ClusterTimeline {
    private static final String PAGE = "timeline.html";
    private static final String DATA = "/*DATA*/null";

    private final String title;
    private final ClusterTopology initial;
    private final List<NodeId> sentinels;
    private final List<ClusterEvent> events;
    private final long end;
    private final @Nullable String failure;

    ClusterTimeline(
            String title,
            ClusterTopology initial,
            Collection<NodeId> sentinels,
            List<? extends ClusterEvent> events,
            long end) {
        this(title, initial, List.copyOf(sentinels), List.copyOf(events), end, null);
    }

    private ClusterTimeline(
            String title,
            ClusterTopology initial,
            List<NodeId> sentinels,
            List<ClusterEvent> events,
            long end,
            @Nullable String failure) {
        this.title = title;
        this.initial = initial;
        this.sentinels = sentinels;
        this.events = events;
        this.end = end;
        this.failure = failure;
    }

    /**
     * {@return this timeline with a failure at its end}
     *
     * @param thrown what the test failed with
     */
    public ClusterTimeline withFailure(Throwable thrown) {
        return new ClusterTimeline(
                title,
                initial,
                sentinels,
                events,
                end,
                requireNonNull(thrown, "thrown").toString());
    }

    /** {@return the events, oldest first} */
    public List<ClusterEvent> events() {
        return events;
    }

    /**
     * {@return the last events, a line each, oldest first}
     *
     * @param limit how many lines at most; at least 0
     * @throws IllegalArgumentException if it is negative
     */
    public List<String> lines(int limit) {
        if (limit < 0) {
            throw new IllegalArgumentException("limit must be at least 0: " + limit);
        }
        return events.subList(Math.max(0, events.size() - limit), events.size()).stream()
                .map(event -> EventText.of(event).line())
                .toList();
    }

    /**
     * {@return the events as newline-delimited JSON} Each line is an object with {@code at} (seconds of the cluster's
     * time), {@code party}, {@code kind} and {@code text}.
     */
    public String toNdjson() {
        StringBuilder lines = new StringBuilder();
        for (ClusterEvent event : events) {
            EventText.of(event).appendJson(lines);
            lines.append('\n');
        }
        return lines.toString();
    }

    /** {@return a page of HTML that stands alone} */
    public String toHtml() {
        try (InputStream page = ClusterTimeline.class.getResourceAsStream(PAGE)) {
            if (page == null) {
                throw new AssertionError(PAGE + " is missing");
            }
            // within a script element, an end tag in a string would end the script
            String data = new Lanes(initial, sentinels, events, end)
                    .toJson(title, failure)
                    .replace("</", "<\\/")
                    .replace("<!--", "<\\!--");
            return new String(page.readAllBytes(), UTF_8).replace(DATA, data);
        } catch (IOException e) { // a resource of this very module
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Writes the page and, beside it, the events.
     *
     * @param directory where to; made if it isn't there
     * @param name the names of the files without their endings, {@code .html} and {@code .ndjson}
     * @return the page
     * @throws IOException if a file cannot be written
     */
    public Path write(Path directory, String name) throws IOException {
        Files.createDirectories(directory);
        Files.writeString(directory.resolve(name + ".ndjson"), toNdjson());
        return Files.writeString(directory.resolve(name + ".html"), toHtml());
    }

    /** {@return the number of events, and the failure} */
    @Override
    public String toString() {
        return "ClusterTimeline[" + events.size() + " events" + (failure == null ? "" : ", " + failure) + "]";
    }
}
