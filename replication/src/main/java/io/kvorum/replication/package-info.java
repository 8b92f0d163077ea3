/**
 * Replication of a shard: one primary takes the writes, its replicas follow, and a majority of the members decides what
 * survives. It replicates any {@link io.kvorum.replication.ReplicatedState}, such as a key-value store or a counter.
 *
 * <p><b>The parts.</b> {@link io.kvorum.replication.ReplicationLog} holds the recent records and the gate that admits
 * writers. {@link io.kvorum.replication.ShardNode} is the protocol of one node: a pure state machine that says what to
 * save, to send and to tell. {@code io.kvorum.replication.runtime.NodeDriver} runs it with a clock, a
 * {@link io.kvorum.replication.Transport} and a {@link io.kvorum.replication.PromiseStore}. You write the state and the
 * transport; the rest is here.
 *
 * <p><b>A write</b> goes to the log first and changes the state after that, under a lock of yours that a snapshot scan
 * takes too. The log refuses it, before anything has changed, if the node is not the primary, if writes are paused, if
 * too few replicas are connected and caught up, or if the log is full of records that a replica still needs.
 *
 * <pre>{@code
 * log.awaitRoom(slot, timeoutNanos);             // before the lock: waits if replicas are behind
 * synchronized (lock) {
 *     log.append(slot, payload);                 // refuses, or the record is in
 *     map.put(key, value);
 * }
 * }</pre>
 *
 * <p><b>Acknowledgement.</b> {@link io.kvorum.replication.Acknowledgement#LOCAL} waits for nobody; a number of replicas
 * is what Redis's {@code WAIT} counts; {@link io.kvorum.replication.Acknowledgement#MAJORITY} survives every failover.
 * If it does not come in time, the outcome is unknown ({@link io.kvorum.replication.OutcomeUnknownException}), and a
 * later question for the same position is answered from the history: still there, or lost.
 *
 * <p><b>Lives, incarnations, members.</b> A node keeps one small fact, its {@link io.kvorum.replication.Promise}: who
 * it is and the highest epoch it has promised. A node that restarts without its data takes a full sync before it counts
 * again. A node that lost its promise too begins a new incarnation, and counts only once the primary has written it
 * into the member list, which is a record in the log. So does a node that replaces another one.
 *
 * <p><b>The first start.</b> A new shard begins by an explicit command to one node, after all nodes have promised its
 * epoch; {@code io.kvorum.failover} gives it. By hand:
 *
 * <pre>{@code
 * for (ShardNode node : nodes) {
 *     node.fence(epoch, me);
 * }
 * MemberList members = MemberList.of(new Member(idOfA, incarnationOfA), ...);
 * first.begin(epoch, me, members, false, now);   // the others follow by themselves
 * }</pre>
 *
 * <p><b>Replicas that fall behind.</b> The log holds what a replica that makes progress still needs, up to the log's
 * capacity; then writers wait, evenly and within their own time limits. So a full sync that was begun completes under
 * any write rate. With {@link io.kvorum.replication.LagPolicy#DROP_REPLICA} the replica gives way instead. A replica
 * that cannot be fed is tried again with growing pauses, and keeps nobody else waiting;
 * {@link io.kvorum.replication.ReplicationEvent.ReplicaSuspended} says so.
 *
 * <p><b>What is lost on a crash.</b> Nothing that a majority has acknowledged, as long as a majority of the members
 * keeps data and promise. A primary that crashes loses the writes that only it had; when it comes back they are counted
 * and reported ({@link io.kvorum.replication.ReplicationEvent.RecordsDiscarded}). If all members lose their data, the
 * shard stays without a primary until somebody begins it anew, explicitly.
 *
 * <p>All is pure here, except for the log, which writing threads share with the machine.
 */
package io.kvorum.replication;
