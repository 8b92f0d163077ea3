package io.kvorum.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeCommand;
import io.kvorum.replication.Promise;
import io.kvorum.replication.PromiseStore;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.testing.HandScheduler;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class NodeCommandsTest {
    private static final ShardId SHARD = new ShardId("shard");
    private static final NodeId NODE = new NodeId("node");

    private final HandScheduler scheduler = new HandScheduler();
    private final Logger logger = Logger.getLogger(NodeCommands.class.getName());
    private final List<LogRecord> lines = new ArrayList<>();
    private final Handler handler = new Handler() {
        @Override
        public void publish(LogRecord line) {
            lines.add(line);
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };

    @BeforeEach
    void listen() {
        logger.setUseParentHandlers(false);
        logger.addHandler(handler);
    }

    @AfterEach
    void leave() {
        logger.removeHandler(handler);
        logger.setUseParentHandlers(true);
    }

    private static final class NoDisk implements PromiseStore {
        private @Nullable Promise promise;

        @Override
        public @Nullable Promise load() {
            return promise;
        }

        @Override
        public void save(Promise saved) {
            promise = saved;
        }
    }

    @Test
    void whatAnAnswerMeetsIsLogged() throws IOException {
        try (ClusterNode node = ClusterNode.builder(SHARD, NODE)
                .promises(new NoDisk())
                .transport((to, message) -> message.release())
                .topology(() -> ClusterTopology.EMPTY)
                .scheduler(scheduler)
                .start()) {
            AssertionError thrown = new AssertionError("of the gateway");
            node.execute(new NodeCommand.Describe(SHARD, 0), answer -> {
                throw thrown;
            });
            scheduler.pass(Duration.ZERO);
            assertEquals(1, lines.size());
            assertEquals(Level.WARNING, lines.get(0).getLevel());
            assertEquals(
                    "answer of node node could not be passed on", lines.get(0).getMessage());
            assertSame(thrown, lines.get(0).getThrown());

            List<NodeAnswer> answers = new ArrayList<>();
            node.execute(new NodeCommand.Describe(SHARD, 0), answers::add);
            scheduler.pass(Duration.ZERO);
            assertEquals(1, answers.size());
        }
    }
}
