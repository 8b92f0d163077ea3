package io.kvorum.testkit.contract;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kvorum.core.KeyOperations;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.LocalStore;
import io.kvorum.core.SetOptions;
import io.kvorum.core.StoreSettings;
import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeCommand;
import io.kvorum.failover.NodeGateway;
import io.kvorum.failover.NodeReport;
import io.kvorum.failover.SentinelState;
import io.kvorum.failover.SentinelStateStore;
import io.kvorum.replication.Promise;
import io.kvorum.replication.PromiseStore;
import io.kvorum.replication.ReplicatedState;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.replication.Restoration;
import io.kvorum.replication.SnapshotScan;
import io.kvorum.replication.Transport;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.testkit.junit.Runs;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Each contract notices what breaks it. */
final class WrongImplementationsTest {
    private static void assertFails(Class<?> wrong, String... tests) {
        Runs runs = Runs.of(wrong);
        assertEquals(
                new TreeSet<>(Arrays.asList(tests)),
                new TreeSet<>(runs.failed().keySet().stream()
                        .map(name -> name.replaceAll("\\(.*", ""))
                        .toList()));
    }

    // ---- stores

    /** A store of which one method is wrong. */
    private abstract static class WrongStore extends KeyValueStoreContract {
        private final SetClock clock = new SetClock();
        final LocalStore right = new LocalStore(StoreSettings.defaults(), 7, clock);
        private final KeyValueStore store = (KeyValueStore) Proxy.newProxyInstance(
                KeyValueStore.class.getClassLoader(),
                new Class<?>[] {KeyValueStore.class},
                (proxy, method, arguments) -> call(method, arguments == null ? new Object[0] : arguments));

        /** What the method does instead, or what the right store does. */
        abstract @Nullable Object call(Method method, @Nullable Object[] arguments) throws Throwable;

        final @Nullable Object right(Method method, @Nullable Object[] arguments) throws Throwable {
            try {
                return method.invoke(right, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        }

        @Override
        protected KeyValueStore store() {
            return store;
        }

        @Override
        protected InstantSource clock() {
            return clock;
        }

        @Override
        protected void pass(Duration time) {
            clock.forward(time);
        }
    }

    static final class ForgetsWhatLivesOn extends WrongStore {
        @Override
        @Nullable
        Object call(Method method, @Nullable Object[] arguments) throws Throwable {
            if (method.getName().equals("renameIfAbsent") && right.exists((byte[]) arguments[0])) {
                byte[] value = requireNonNull(right.getAndDelete((byte[]) arguments[0]));
                return right.set((byte[]) arguments[1], value, SetOptions.defaults());
            }
            return right(method, arguments);
        }
    }

    static final class IsNotIsolated extends WrongStore {
        @Override
        @Nullable
        @SuppressWarnings("unchecked")
        Object call(Method method, @Nullable Object[] arguments) throws Throwable {
            if (method.getName().equals("transact") && arguments[0] instanceof byte[]) {
                return ((Function<KeyOperations, Object>) arguments[1]).apply(right);
            }
            return right(method, arguments);
        }
    }

    static final class DropsNothing extends WrongStore {
        @Override
        @Nullable
        Object call(Method method, @Nullable Object[] arguments) throws Throwable {
            if (method.getName().equals("dropSlot")) {
                return right.countInSlot((int) arguments[0]);
            }
            return right(method, arguments);
        }
    }

    @Test
    void ofAStore() {
        assertFails(
                ForgetsWhatLivesOn.class,
                "aKeyIsRenamedWithItsDeadline",
                "keysOfTwoSlotsAreRefusedBeforeAnythingChanges");
        assertFails(IsNotIsolated.class, "aTransactionIsOfOneSlot", "theOperationsOfATransactionEndWithIt");
        assertFails(DropsNothing.class, "aSlotIsDropped");
    }

    // ---- promises

    static final class ForgetsPromises extends PromiseStoreContract {
        @Override
        protected PromiseStore open() {
            return new InMemory();
        }
    }

    static final class ForgetsWhoHoldsThem extends PromiseStoreContract {
        private final PromiseStore store = new InMemory() {
            @Override
            public void save(Promise newer) {
                super.save(new Promise(newer.incarnation(), newer.life(), newer.epoch(), null, newer.begun()));
            }
        };

        @Override
        protected PromiseStore open() {
            return store;
        }
    }

    static final class TakesALostOneForNone extends PromiseStoreContract {
        private final InMemory store = new InMemory();

        @Override
        protected PromiseStore open() {
            return store;
        }

        @Override
        protected boolean damage() {
            store.promise = null;
            return true;
        }
    }

    private static class InMemory implements PromiseStore {
        @Nullable
        Promise promise;

        @Override
        public @Nullable Promise load() {
            return promise;
        }

        @Override
        public void save(Promise newer) {
            promise = newer;
        }
    }

    @Test
    void ofAPromiseStore() {
        assertFails(
                ForgetsPromises.class,
                "everyPartIsKept",
                "theLastPromiseCounts",
                "theSamePromiseCanBeSavedAgain",
                "whatWasSavedIsThereAfterARestart");
        assertFails(
                ForgetsWhoHoldsThem.class,
                "everyPartIsKept",
                "theLastPromiseCounts",
                "theSamePromiseCanBeSavedAgain",
                "whatWasSavedIsThereAfterARestart");
        assertFails(TakesALostOneForNone.class, "aDamagedPromiseIsNotTakenForNone");
    }

    // ---- states of sentinels

    static final class KeepsTheFirst extends SentinelStateStoreContract {
        private final SentinelStateStore store = new SentinelStateStore() {
            private @Nullable SentinelState state;

            @Override
            public @Nullable SentinelState load() {
                return state;
            }

            @Override
            public void save(SentinelState newer) {
                state = state == null ? newer : state;
            }
        };

        @Override
        protected SentinelStateStore open() {
            return store;
        }
    }

    @Test
    void ofASentinelStateStore() {
        assertFails(KeepsTheFirst.class, "theLastStateCounts", "whatWasSavedIsThereAfterARestart");
    }

    // ---- replicated states

    private abstract static class WrongState extends ReplicatedStateContract {
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

    static final class LogsCommands extends WrongState {
        @Override
        protected ReplicatedState empty() {
            return new MapState() {
                @Override
                public void apply(int slot, ByteBuf payload) {
                    String entry = payload.toString(UTF_8);
                    int equals = entry.indexOf('=');
                    map().merge(entry.substring(0, equals), entry.substring(equals + 1), String::concat);
                }
            };
        }
    }

    static final class RestoresInPlace extends WrongState {
        @Override
        protected ReplicatedState empty() {
            return new MapState() {
                @Override
                public Restoration restore() {
                    map().clear();
                    return super.restore();
                }
            };
        }
    }

    static final class MissesAnEntry extends WrongState {
        @Override
        protected ReplicatedState empty() {
            return new MapState() {
                @Override
                public SnapshotScan snapshot() {
                    SnapshotScan whole = super.snapshot();
                    whole.next(Unpooled.buffer(), 1);
                    return whole;
                }
            };
        }
    }

    @Test
    void ofAReplicatedState() {
        assertFails(
                LogsCommands.class,
                "aRecordThatIsAppliedTwiceIsAppliedOnce",
                "aSnapshotAndTheRecordsSinceAreTheStateNow",
                "recordsThatAreAppliedAnewEndTheSame");
        assertFails(
                RestoresInPlace.class,
                "aReplacementThatIsGivenUpLeavesTheOldState",
                "theOldStateStaysUntilItsReplacementIsComplete");
        assertFails(MissesAnEntry.class, "aSnapshotIsTheWholeState", "aSnapshotAndTheRecordsSinceAreTheStateNow");
    }

    // ---- transports

    private abstract static class WrongTransport extends TransportContract {
        @Nullable
        Loopback network;

        abstract Loopback network();

        @Override
        protected Duration limit() {
            return Duration.ofMillis(600);
        }

        @Override
        protected Transport start(NodeId node, BiConsumer<NodeId, ReplicationMessage> receiver) {
            Loopback started = network == null ? network() : network;
            network = started;
            return started.start(node, receiver);
        }

        @AfterEach
        void close() {
            if (network != null) {
                network.close();
            }
        }
    }

    static final class KeepsBuffers extends WrongTransport {
        @Override
        Loopback network() {
            return new Loopback() {
                @Override
                void release(ReplicationMessage message) {}
            };
        }
    }

    static final class SaysAnotherSender extends WrongTransport {
        @Override
        Loopback network() {
            return new Loopback() {
                @Override
                Transport start(NodeId node, BiConsumer<NodeId, ReplicationMessage> receiver) {
                    return super.start(node, (from, message) -> receiver.accept(node, message));
                }
            };
        }
    }

    static final class ThrowsIfNobodyIsThere extends WrongTransport {
        @Override
        Loopback network() {
            return new Loopback() {
                @Override
                Transport start(NodeId node, BiConsumer<NodeId, ReplicationMessage> receiver) {
                    Transport right = super.start(node, receiver);
                    return (to, message) -> {
                        if (to.value().equals("node-3")) {
                            throw new IllegalStateException("no route to " + to);
                        }
                        right.send(to, message);
                    };
                }
            };
        }
    }

    @Test
    void ofATransport() {
        assertFails(KeepsBuffers.class, "everyBufferIsLetGo");
        assertFails(SaysAnotherSender.class, "whatIsDeliveredIsWhatWasSentByWhomItSays");
        assertFails(ThrowsIfNobodyIsThere.class, "aReceiverThatIsNotThereHoldsNobodyUp", "everyBufferIsLetGo");
    }

    // ---- gateways

    /** A node that says yes to everything. */
    static final class ObeysAnybody extends NodeGatewayContract {
        private static final NodeId NODE = new NodeId("node-1");
        private static final ShardId SHARD = new ShardId("shard-1");
        private long promised;
        private boolean primary;

        @Override
        protected NodeGateway gateway() {
            return (node, command, answer) -> {
                if (node.equals(NODE)) {
                    if (command instanceof NodeCommand.Fence fence) {
                        promised = fence.epoch();
                    } else if (command instanceof NodeCommand.Promote) {
                        primary = true;
                    }
                    answerSafely(new NodeAnswer(command, NodeAnswer.Outcome.DONE, report()), answer);
                }
            };
        }

        private static void answerSafely(NodeAnswer given, Consumer<NodeAnswer> answer) {
            try {
                answer.accept(given);
            } catch (IllegalStateException e) {
                assertEquals("of a test", e.getMessage());
            }
        }

        private NodeReport report() {
            return new NodeReport(
                    NODE,
                    SHARD,
                    1,
                    primary,
                    promised,
                    null,
                    LogPosition.START,
                    -1,
                    false,
                    false,
                    null,
                    LogPosition.START,
                    List.of(),
                    100);
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

    @Test
    void ofAGateway() {
        assertFails(
                ObeysAnybody.class,
                "aCommandForAnotherShardChangesNothing",
                "aNodeLeadsForNobodyButTheHolderOfItsPromise",
                "aNodeLeadsNoEpochThatItHasNotPromised",
                "aPromiseIsKept");
    }
}
