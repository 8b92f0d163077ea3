package io.kvorum.resp;

import io.kvorum.replication.NodeRole;
import io.kvorum.replication.NodeStatus;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.RefusedException.Kind;
import io.kvorum.slots.topology.Shard;
import java.util.ArrayList;
import java.util.List;

/** Decides whether a node carries a command out, or which error sends the client elsewhere, in the server's order. */
final class Routing {
    static final String READ_ONLY = "READONLY You can't write against a read only replica.";
    private static final String CROSS_SLOT = "CROSSSLOT Keys in request don't hash to the same slot";
    private static final String NOT_SERVED = "CLUSTERDOWN Hash slot not served";
    private static final String DOWN = "CLUSTERDOWN The cluster is down";

    private Routing() {}

    /**
     * Throws unless the node may carry the command out.
     *
     * @throws CommandException with the error for the client
     * @throws RefusedException if it is not clear yet who leads the shard, and the client has to wait
     */
    static void check(NodeEndpoint node, Session session, Command command, List<byte[]> given) {
        boolean exec = command.isExec();
        if (exec && (!session.inTransaction() || session.broken)) {
            return; // which is an error of its own
        }
        boolean write = command.isWrite();
        List<byte[]> keys = given;
        if (exec && session.queue != null) {
            keys = new ArrayList<>();
            for (Session.Queued queued : session.queue) {
                keys.addAll(queued.command().keysOf(queued.args()));
                write |= queued.command().isWrite();
            }
        }
        boolean inCluster = node.cluster().mode() == RespMode.CLUSTER;
        if (inCluster && !keys.isEmpty()) {
            requireSlot(node, session, keys, write, command.has("pubsub"));
        }
        boolean replica = node.status().role() == NodeRole.REPLICA;
        if (replica && write) {
            throw new CommandException(READ_ONLY);
        }
        node.requireComplete(command);
        if (!inCluster && !keys.isEmpty()) {
            requireOwn(node, keys);
        }
    }

    private static void requireSlot(
            NodeEndpoint node, Session session, List<byte[]> keys, boolean write, boolean channels) {
        ClusterTopology topology = node.cluster().topology();
        int slot = HashSlot.of(keys.get(0));
        Shard owner = topology.shardOf(slot);
        if (owner == null) {
            throw new CommandException(NOT_SERVED);
        }
        for (int i = 1; i < keys.size(); i++) {
            if (HashSlot.of(keys.get(i)) != slot) {
                throw new CommandException(CROSS_SLOT);
            }
        }
        if (!owner.id().equals(node.node().shard())) {
            throw moved(node, slot, owner.primary());
        }
        NodeStatus status = node.status();
        boolean outrun = !owner.primary().equals(node.id()) && owner.epoch() > status.epoch();
        if (outrun && status.role() == NodeRole.PRIMARY) {
            throw moved(node, slot, owner.primary()); // it has not heard yet that it leads no more
        }
        boolean mayRead = session.readOnly && !write;
        if (status.role() == NodeRole.REPLICA && !mayRead && !channels) {
            NodeId primary = owner.primary().equals(node.id()) ? status.primary() : owner.primary();
            if (primary == null || primary.equals(node.id())) {
                throw new RefusedException(
                        Kind.FENCED, "the next primary is not known yet", slot, owner.id(), node.id(), null, -1);
            }
            throw moved(node, slot, primary);
        }
    }

    private static CommandException moved(NodeEndpoint node, int slot, NodeId primary) {
        return new CommandException(
                "MOVED " + slot + " " + node.cluster().endpoint(primary).address());
    }

    /** A server that is no cluster has every key; a shard has those of its slots. */
    private static void requireOwn(NodeEndpoint node, List<byte[]> keys) {
        ClusterTopology topology = node.cluster().topology();
        for (int i = 0; i < keys.size(); i++) {
            int slot = HashSlot.of(keys.get(i));
            Shard owner = topology.shardOf(slot);
            if (owner == null || !owner.id().equals(node.node().shard())) {
                throw new CommandException(
                        "ERR slot " + slot + " of the key belongs to " + (owner == null ? "no shard" : owner.id()));
            }
        }
    }

    /** {@return whether an error is about where the keys are, which is told as it is even of a transaction} */
    static boolean isElsewhere(CommandException e) {
        String error = e.error();
        return error.startsWith("MOVED ")
                || error.startsWith("CROSSSLOT ")
                || error.startsWith("CLUSTERDOWN ")
                || error.startsWith("TRYAGAIN ");
    }

    /** {@return what a client is told of a refusal} */
    static String error(NodeEndpoint node, RefusedException refused) {
        NodeId primary = refused.primary();
        return switch (refused.kind()) {
            case CROSS_SLOT -> CROSS_SLOT;
            case MOVED ->
                primary == null
                        ? NOT_SERVED
                        : moved(node, refused.slot(), primary).error();
            case MOVING -> "TRYAGAIN Multiple keys request during rehashing of slot";
            case CLUSTER_DOWN -> NOT_SERVED;
            case READ_ONLY ->
                node.cluster().mode() == RespMode.CLUSTER && primary != null && refused.slot() >= 0
                        ? moved(node, refused.slot(), primary).error()
                        : READ_ONLY;
            case FENCED -> node.cluster().mode() == RespMode.CLUSTER ? DOWN : READ_ONLY;
            case PAUSED, OVERLOADED -> "TRYAGAIN " + refused.getMessage();
            case TOO_FEW_REPLICAS -> "NOREPLICAS Not enough good replicas to write.";
            case LAGGING -> "LOADING Redis is loading the dataset in memory";
            case OUT_OF_MEMORY -> "OOM command not allowed when used memory > 'maxmemory'.";
        };
    }
}
