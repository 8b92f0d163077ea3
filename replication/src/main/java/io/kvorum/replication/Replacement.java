package io.kvorum.replication;

import io.kvorum.slots.topology.NodeId;

/**
 * A member, or a node that is to join, that gives way to another node once that is complete.
 *
 * @param outgoing who gives way
 * @param incoming who takes its place
 * @param endsAt when it is given up
 */
record Replacement(NodeId outgoing, NodeId incoming, long endsAt) {
    boolean isOf(NodeId out, NodeId in) {
        return outgoing.equals(out) && incoming.equals(in);
    }
}
