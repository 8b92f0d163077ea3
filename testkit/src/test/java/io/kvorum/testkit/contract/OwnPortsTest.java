package io.kvorum.testkit.contract;

import static io.kvorum.testkit.contract.Bytes.bytes;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import io.kvorum.cluster.ClusterNode;
import io.kvorum.core.LocalStore;
import io.kvorum.core.StoreSettings;
import io.kvorum.failover.NodeGateway;
import io.kvorum.failover.SentinelState;
import io.kvorum.failover.SentinelStateStore;
import io.kvorum.failover.runtime.FileSentinelStateStore;
import io.kvorum.replication.Promise;
import io.kvorum.replication.PromiseStore;
import io.kvorum.replication.ReplicatedState;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.replication.Transport;
import io.kvorum.replication.runtime.FilePromiseStore;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.netty.buffer.ByteBufUtil;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.io.TempDir;

/** What this library and its tests implement of the interfaces that users implement too. */
final class OwnPortsTest {
    private static void flipAByte(Path file) throws IOException {
        byte[] content = Files.readAllBytes(file);
        content[content.length / 2] ^= 1;
        Files.write(file, content);
    }

    @Nested
    final class OfAPromiseInAFile extends PromiseStoreContract {
        @TempDir
        private Path directory;

        @Override
        protected PromiseStore open() {
            return new FilePromiseStore(directory.resolve("promise"));
        }

        @Override
        protected boolean damage() throws IOException {
            flipAByte(directory.resolve("promise"));
            return true;
        }
    }

    @Nested
    final class OfAPromiseInMemory extends PromiseStoreContract {
        private final PromiseStore memory = new PromiseStore() {
            private @Nullable Promise promise;

            @Override
            public @Nullable Promise load() {
                return promise;
            }

            @Override
            public void save(Promise newer) {
                promise = newer;
            }
        };

        @Override
        protected PromiseStore open() {
            return memory;
        }
    }

    @Nested
    final class OfASentinelsFile extends SentinelStateStoreContract {
        @TempDir
        private Path directory;

        @Override
        protected SentinelStateStore open() {
            return new FileSentinelStateStore(directory.resolve("sentinel"));
        }

        @Override
        protected boolean damage() throws IOException {
            flipAByte(directory.resolve("sentinel"));
            return true;
        }
    }

    @Nested
    final class OfASentinelsMemory extends SentinelStateStoreContract {
        private final SentinelStateStore memory = new SentinelStateStore() {
            private @Nullable SentinelState state;

            @Override
            public @Nullable SentinelState load() {
                return state;
            }

            @Override
            public void save(SentinelState newer) {
                state = newer;
            }
        };

        @Override
        protected SentinelStateStore open() {
            return memory;
        }
    }

    @Nested
    final class OfALocalStore extends ReplicatedStateContract {
        private final IdentityHashMap<ReplicatedState, LocalStore> stores = new IdentityHashMap<>();

        @Override
        protected ReplicatedState empty() {
            LocalStore store = new LocalStore(StoreSettings.defaults(), stores.size(), new SetClock());
            stores.put(store.replicatedState(), store);
            return store.replicatedState();
        }

        /** What a primary's store hands to its log. */
        @Override
        protected List<Change> changes() {
            List<Change> changes = new ArrayList<>();
            SetClock clock = new SetClock();
            LocalStore primary = new LocalStore(
                    StoreSettings.defaults(),
                    7,
                    clock,
                    (slot, change) -> changes.add(new Change(slot, ByteBufUtil.getBytes(change))));
            for (int i = 0; i < 30; i++) {
                byte[] key = bytes("key-" + i % 12);
                primary.append(key, bytes("value-" + i));
                if (i % 5 == 0) {
                    primary.expireAt(key, clock.millis() + 1_000_000 + i);
                } else if (i % 7 == 0) {
                    primary.delete(key);
                }
            }
            primary.increment(bytes("number"), 3);
            return changes;
        }

        @Override
        protected Object contents(ReplicatedState state) {
            return requireNonNull(stores.get(state)).digest();
        }
    }

    @Nested
    final class OfAMap extends ReplicatedStateContract {
        @Override
        protected ReplicatedState empty() {
            return new MapState();
        }

        @Override
        protected List<Change> changes() {
            List<Change> changes = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                changes.add(new Change(0, ("key-" + i % 7 + "=" + i).getBytes(UTF_8)));
            }
            return changes;
        }

        @Override
        protected Object contents(ReplicatedState state) {
            return new TreeMap<>(((MapState) state).map());
        }
    }

    @Nested
    final class OfATransportOfBytes extends TransportContract {
        private final Loopback network = new Loopback();

        @Override
        protected Transport start(NodeId node, BiConsumer<NodeId, ReplicationMessage> receiver) {
            return network.start(node, receiver);
        }

        @AfterEach
        void close() {
            network.close();
        }
    }

    @Nested
    final class OfNodes extends NodeGatewayContract {
        private static final NodeId NODE = new NodeId("node-1");
        private static final ShardId SHARD = new ShardId("shard-1");

        private @Nullable ClusterNode node;

        @BeforeEach
        void start() throws IOException {
            node = ClusterNode.builder(SHARD, NODE)
                    .promises(new OfAPromiseInMemory().open())
                    .transport((to, message) -> message.release())
                    .topology(() -> ClusterTopology.EMPTY)
                    .logCapacity(1 << 16)
                    .start();
        }

        @AfterEach
        void close() {
            started().close();
        }

        private ClusterNode started() {
            ClusterNode current = node;
            if (current == null) {
                throw new IllegalStateException("the node must be started");
            }
            return current;
        }

        @Override
        protected NodeGateway gateway() {
            return (to, command, answer) -> {
                if (to.equals(NODE)) {
                    started().execute(command, answer);
                }
            };
        }

        @Override
        protected NodeId node() {
            return NODE;
        }

        @Override
        protected ShardId shard() {
            return SHARD;
        }

        @Override
        protected NodeId unreachable() {
            return new NodeId("node-2");
        }
    }
}
