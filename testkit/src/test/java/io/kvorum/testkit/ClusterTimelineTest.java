package io.kvorum.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.htmlunit.WebClient;
import org.htmlunit.html.DomElement;
import org.htmlunit.html.HtmlPage;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("long")
final class ClusterTimelineTest {
    private static final byte[] KEY = "key".getBytes(UTF_8);

    @TempDir
    private static Path directory;

    private static ClusterTimeline timeline;
    private static Path page;

    @BeforeAll
    static void record() throws IOException {
        try (LocalCluster cluster =
                LocalCluster.builder().shards(2).virtualTime(3).start()) {
            cluster.awaitReady(Duration.ofSeconds(10));
            cluster.client().set(KEY, KEY);
            LocalNode primary = cluster.primaryFor(KEY);
            primary.crash();
            cluster.advance(Duration.ofSeconds(3));
            primary.restart();
            cluster.sentinels().get(1).pause();
            cluster.isolate(cluster.nodes().get(4).id());
            cluster.advance(Duration.ofSeconds(2));
            cluster.sentinels().get(1).resume();
            cluster.heal();
            cluster.advance(Duration.ofSeconds(1));
            timeline = cluster.timeline().withFailure(new AssertionError("\"key\" was lost </script><b>"));
        }
        page = timeline.write(directory, "timeline");
    }

    @Test
    void eachEventIsALineOfJson() throws IOException {
        List<String> lines = Files.readAllLines(directory.resolve("timeline.ndjson"));
        assertEquals(timeline.events().size(), lines.size());
        assertTrue(lines.stream()
                .allMatch(line -> line.matches(
                        "\\{\"at\":[0-9.]+,\"party\":\"[a-z0-9.-]*\",\"kind\":\"[A-Za-z ]+\",\"text\":\".+\"}")));
        assertTrue(lines.stream().anyMatch(line -> line.contains("\"kind\":\"crash\"")));
        assertTrue(lines.stream().anyMatch(line -> line.contains("epoch=") && line.matches(".*epoch=\\d+\\.\\d+.*")));
        assertEquals(
                timeline.lines(3),
                timeline.lines(100)
                        .subList(
                                timeline.lines(100).size() - 3,
                                timeline.lines(100).size()));
    }

    @Test
    void thePageShowsLanesFaultsAndEpochsAndIsUsedByTheKeyboard() throws IOException {
        try (WebClient browser = new WebClient()) {
            HtmlPage shown = browser.getPage(page.toUri().toURL());
            assertEquals("java.lang.AssertionError: \"key\" was lost </script><b>", text(shown, "failure"));
            assertEquals(9, shown.querySelectorAll("#labels > div").size());
            assertEquals(
                    timeline.events().size(),
                    shown.querySelectorAll("#events > li").size());
            assertTrue(shown.querySelectorAll("rect.PRIMARY").size() >= 3);
            assertEquals(1, shown.querySelectorAll("rect.DOWN").size());
            assertEquals(2, shown.querySelectorAll("path.fault").size());
            assertTrue(shown.querySelectorAll("line.epoch").size() >= 3);
            assertFalse(shown.querySelectorAll("path.arrow").isEmpty());

            assertEquals(timeline.events().size() - 1, chosen(shown)); // where it failed
            press(shown, "Home");
            assertEquals(0, chosen(shown));
            press(shown, "ArrowRight");
            press(shown, "ArrowRight");
            press(shown, "ArrowLeft");
            assertEquals(1, chosen(shown));
            double before = width(shown);
            press(shown, "+");
            assertTrue(width(shown) > 1.5 * before);
            press(shown, "0");
            assertEquals(before, width(shown), 1);
        }
    }

    @Test
    void aBrowserDrawsThePage() throws IOException, InterruptedException {
        String browser = onPath("chromium", "chromium-browser", "google-chrome");
        assumeTrue(browser != null, "no Chromium on the PATH");
        File drawn = directory.resolve("drawn.html").toFile();
        Process process = new ProcessBuilder(
                        browser,
                        "--headless=new",
                        "--no-sandbox",
                        "--disable-gpu",
                        "--user-data-dir=" + directory.resolve("browser"),
                        "--dump-dom",
                        page.toUri().toString())
                .redirectOutput(drawn)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            assertTrue(process.waitFor(60, TimeUnit.SECONDS), "the browser did not end");
        } finally {
            process.destroyForcibly();
        }
        String content = Files.readString(drawn.toPath());
        assertTrue(content.contains("class=\"PRIMARY\""), "nothing was drawn");
        assertTrue(content.contains("dot chosen"), "no event is chosen");
    }

    /** Such as a failure may quote of a test's own bytes. */
    @Test
    void anyTextIsWrittenAndReadAgain() throws IOException {
        String odd =
                "epoch=99999999999999999999 \ud800 \udc00\ud800 \ud83d\ude00 \u2028 \0 </script><!-- <script> \"'\\ $1";
        ClusterTimeline told = timeline.withFailure(new AssertionError(odd));

        Path written = told.write(directory.resolve("deep/er"), "odd");

        try (WebClient browser = new WebClient()) {
            HtmlPage shown = browser.getPage(written.toUri().toURL());
            assertTrue(text(shown, "failure").contains("epoch=99999999999999999999"), () -> text(shown, "failure"));
            assertTrue(
                    text(shown, "failure").contains("</script><!-- <script> \"'\\ $1"), () -> text(shown, "failure"));
        }
    }

    @Test
    void onlyTheLastEventsOfALongRunAreKept() {
        ClusterEvents events = new ClusterEvents(new VirtualTime(new Failures()), new Failures());
        for (int i = 0; i < 25_000; i++) {
            events.publish(new ClusterEvent.EventsLost(i, 1));
        }
        List<ClusterEvent> kept = events.recorded();
        assertEquals(10_000, kept.size());
        assertEquals(15_000, kept.get(0).at());
        assertEquals(24_999, kept.get(9_999).at());
    }

    @Test
    void thePageNeedsNoNetwork() throws IOException {
        String content = Files.readString(page).replace("http://www.w3.org/2000/svg", "");
        assertFalse(content.contains("http:") || content.contains("https:") || content.contains("@import"));
    }

    private static String text(HtmlPage shown, String id) {
        return shown.getHtmlElementById(id).getTextContent();
    }

    private static int chosen(HtmlPage shown) {
        List<?> items = shown.querySelectorAll("#events > li");
        for (int i = 0; i < items.size(); i++) {
            if (((DomElement) items.get(i)).getAttribute("class").equals("chosen")) {
                return i;
            }
        }
        return -1;
    }

    private static double width(HtmlPage shown) {
        DomElement drawing = shown.querySelector("svg");
        return Double.parseDouble(drawing.getAttribute("width"));
    }

    private static void press(HtmlPage shown, String key) {
        shown.executeJavaScript("document.dispatchEvent(new KeyboardEvent('keydown', {key: '" + key + "'}))");
    }

    private static @Nullable String onPath(String... names) {
        return Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .flatMap(entry -> Stream.of(names).map(name -> Path.of(entry, name)))
                .filter(Files::isExecutable)
                .map(Path::toString)
                .findFirst()
                .orElse(null);
    }
}
