package io.kvorum.redis.readme;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.kvorum.redis.RealServer;
import org.junit.jupiter.api.Test;

/** The program runs in both worlds. */
final class OnServersTest {
    @Test
    void itRunsInTheJvm() {
        OnServers.main(new String[0]);
    }

    @Test
    void itRunsOnAServer() {
        assumeFalse(RealServer.executables().isEmpty(), "no server to test with");
        try (RealServer server = RealServer.start(RealServer.newest())) {
            OnServers.main(new String[] {server.uri().toString()});
            OnServers.main(new String[] {server.uri().toString()});

            assertEquals("2", server.ask("GET home"));
        }
    }
}
