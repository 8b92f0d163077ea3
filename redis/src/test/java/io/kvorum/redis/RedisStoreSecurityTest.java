package io.kvorum.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.kvorum.core.Entry;
import io.kvorum.core.PartlyClearedException;
import io.kvorum.core.ScanCursor;
import io.kvorum.core.ScanOptions;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.RefusedException.Kind;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SslVerifyMode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** User, password and TLS are those of the URI, on every connection that a store makes. */
@Tag("long")
final class RedisStoreSecurityTest {
    private static final String USER = "alice";
    private static final String STORE_PASSWORD = "wonderland";
    private static final String PASSWORD = "w@nd:r/l%41#?&+é";
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final String KEYS = "~orders:* ~kvorum:leadership";
    private static final byte[] VALUE = "value".getBytes(UTF_8);

    private final List<AutoCloseable> opened = new ArrayList<>();

    @TempDir
    @Nullable
    Path directory;

    @BeforeEach
    void requireServer() {
        assumeFalse(RealServer.executables().isEmpty(), "no server to test with");
    }

    @AfterEach
    void close() throws Exception {
        for (int i = opened.size() - 1; i >= 0; i--) {
            opened.get(i).close();
        }
    }

    /** With more time than a busy machine needs. */
    private static RedisStore.Builder builder(RedisURI... uris) {
        return RedisStore.builder().uris(uris).timeout(LIMIT).connectTimeout(LIMIT);
    }

    private RedisStore store(RedisURI... uris) {
        RedisStore store = builder(uris).connect();
        opened.add(store);
        return store;
    }

    /** Uses the shared connections, those of transactions, and those to all servers. */
    private static void use(RedisStore store) {
        List<byte[]> keys = List.of("orders:1".getBytes(UTF_8), "orders:2".getBytes(UTF_8), "orders:3".getBytes(UTF_8));
        store.setEach(keys.stream().map(key -> new Entry(key, VALUE)).toList());
        assertEquals(6, store.append(keys.get(0), new byte[1]));
        assertEquals(7, store.compute(keys.get(1), value -> new byte[7]).length);
        assertArrayEquals(VALUE, store.getEach(keys).get(2));
        assertEquals(3, store.size());
        assertTrue(store.scan(ScanCursor.START, ScanOptions.defaults()).keys().size() <= 3);
        assertEquals(3, store.clear(SlotSet.ALL));
    }

    private static RedisURI as(String password, RedisURI uri) {
        RedisURI.Builder copy = RedisURI.builder(uri).withAuthentication(USER, password);
        if (uri.getSentinelMasterId() != null) {
            copy.withSentinelMasterId(uri.getSentinelMasterId());
            uri.getSentinels().forEach(copy::withSentinel);
        }
        return copy.build();
    }

    private RealServers servers(String kind) {
        Path newest = RealServer.newest();
        RealServers started = switch (kind) {
            case "a server" -> RealServers.single(newest);
            case "a cluster" -> RealServers.cluster(newest);
            default -> RealServers.sentinels(newest);
        };
        opened.add(started);
        return started;
    }

    /** The user may do all that a store needs, but for one command. */
    private static void addUser(RealServer server, String keys) {
        String allowed = "-@all +@read +@write +@transaction +@connection +info +time +wait +cluster +asking -getrange";
        assertEquals("OK", server.ask("ACL SETUSER " + USER + " on >" + PASSWORD + " " + keys + " " + allowed));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a server", "a cluster", "sentinels"})
    void theUserOfTheUriIsThatOfAllConnections(String kind) {
        RealServers servers = servers(kind);
        RedisURI[] uris = servers.uris();
        for (RealServer server : servers.ofData()) {
            addUser(server, kind.equals("a cluster") ? "~*" : KEYS);
            assertEquals("OK", server.ask("ACL SETUSER default -@read -@write -@transaction"));
        }
        RedisURI[] asUser = Arrays.stream(uris).map(uri -> as(PASSWORD, uri)).toArray(RedisURI[]::new);
        RedisStore store = store(asUser);

        use(store);
        assertThrows(IllegalStateException.class, () -> store.getRange("orders:1".getBytes(UTF_8), 0, 1));
        RedisURI[] guessed = Arrays.stream(uris).map(uri -> as("guess", uri)).toArray(RedisURI[]::new);
        RefusedException refusal =
                assertThrows(RefusedException.class, () -> builder(guessed).connect());
        assertEquals(Kind.CLUSTER_DOWN, refusal.kind());
    }

    @Test
    void whoNamesThePrimaryMayGiveItAnotherPassword() {
        RealServer server = RealServer.start(RealServer.newest());
        opened.add(server);
        addUser(server, KEYS);
        AtomicReference<RedisURI> primary = new AtomicReference<>(as(PASSWORD, server.uri()));
        RedisStore store = builder(primary.get()).primary(primary::get).connect();
        opened.add(store);
        use(store);

        server.ask("ACL SETUSER " + USER + " resetpass >another");
        primary.set(as("another", server.uri()));
        server.ask("CLIENT KILL USER " + USER);
        RealServers.await("the store has seen that its connections are closed", () -> isAnswered(store));
        use(store);
    }

    private static boolean isAnswered(RedisStore store) {
        byte[] key = "orders:1".getBytes(UTF_8);
        try {
            store.exists(key);
            store.compute(key, value -> value);
            return true;
        } catch (RefusedException e) {
            return false;
        }
    }

    /** Some keys may be listed by everybody, but not deleted. */
    @Test
    void whoFailsToClearEverythingTellsWhatIsGone() {
        RealServer server = RealServer.start(RealServer.newest());
        opened.add(server);
        addUser(server, KEYS);
        RedisStore store = store(as(PASSWORD, server.uri()));
        for (int i = 0; i < 100; i++) {
            store.set(("orders:" + i).getBytes(UTF_8), VALUE);
        }
        server.ask("SET hidden 1");

        PartlyClearedException partly = assertThrows(PartlyClearedException.class, store::clear);
        assertEquals(100, partly.deleted());
        assertEquals(SlotSet.EMPTY, partly.cleared());
        assertEquals(SlotSet.ALL, partly.remaining());
        assertInstanceOf(IllegalStateException.class, partly.getCause());
        assertEquals("1", server.ask("DBSIZE"));
        assertThrows(IllegalStateException.class, store::clear, "nothing was deleted this time");
        int slot = HashSlot.of("hidden".getBytes(UTF_8));
        assertThrows(IllegalStateException.class, () -> store.dropSlot(slot));
    }

    @Test
    void aNodeCommandsAServerAsTheUserOfItsUri() {
        RealServer server = RealServer.start(RealServer.newest());
        opened.add(server);
        assertEquals("OK", server.ask("ACL SETUSER " + USER + " on >" + PASSWORD + " ~* +@all"));
        assertEquals("OK", server.ask("ACL SETUSER default -@all +ping"));
        try (ManagedServer managed = new ManagedServer(as(PASSWORD, server.uri()), LIMIT)) {
            assertTrue(managed.state().primary());
            managed.detach();
            assertTrue(ManagedServer.isDetached(managed.state()));
        }
    }

    @Test
    void aUriWithTlsIsConnectedToByTls() throws Exception {
        Path files = directory;
        assumeTrue(files != null && RealServer.hasTls(RealServer.newest()), "the server is built without TLS");
        makeCertificate(files);
        RealServer server = RealServer.start(
                RealServer.newest(),
                "--tls-cert-file",
                files.resolve("certificate.pem").toString(),
                "--tls-key-file",
                files.resolve("key.pem").toString(),
                "--tls-ca-cert-file",
                files.resolve("certificate.pem").toString(),
                "--tls-auth-clients",
                "no");
        opened.add(server);
        assertEquals("OK", server.ask("CONFIG SET tls-port " + (server.port() + 10_000)));
        addUser(server, KEYS);
        RedisURI.Builder uri = RedisURI.builder()
                .withHost("127.0.0.1")
                .withPort(server.port() + 10_000)
                .withAuthentication(USER, PASSWORD)
                .withSsl(true);

        use(store(uri.withVerifyPeer(SslVerifyMode.NONE).build()));
        RedisURI suspicious = uri.withVerifyPeer(SslVerifyMode.FULL).build();
        RefusedException refusal =
                assertThrows(RefusedException.class, () -> builder(suspicious).connect());
        assertEquals(Kind.CLUSTER_DOWN, refusal.kind()); // nobody vouches for the certificate
    }

    /** Makes a key and a certificate that it has signed itself, with the tool of the JDK. */
    private static void makeCertificate(Path files) throws IOException, InterruptedException, GeneralSecurityException {
        Path store = files.resolve("keys.p12");
        Process tool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        "server",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=127.0.0.1",
                        "-validity",
                        "2",
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        store.toString(),
                        "-storepass",
                        STORE_PASSWORD)
                .redirectErrorStream(true)
                .start();
        String said = new String(tool.getInputStream().readAllBytes(), UTF_8);
        assertEquals(0, tool.waitFor(), said);
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, STORE_PASSWORD.toCharArray());
        }
        Files.writeString(
                files.resolve("key.pem"),
                pem(
                        "PRIVATE KEY",
                        keys.getKey("server", STORE_PASSWORD.toCharArray()).getEncoded()));
        Files.writeString(
                files.resolve("certificate.pem"),
                pem("CERTIFICATE", keys.getCertificate("server").getEncoded()));
    }

    private static String pem(String kind, byte[] bytes) {
        String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes);
        return "-----BEGIN " + kind + "-----\n" + text + "\n-----END " + kind + "-----\n";
    }
}
