/**
 * The versioned topology of a cluster: which shard owns each slot, which nodes a shard has, and who leads it.
 *
 * <p>Use this package to keep a routing table that several parties change and exchange. A topology is an immutable
 * value. It changes by compare-and-set, and two topologies merge without a coordinator: the order, repetition and
 * grouping of merges make no difference.
 *
 * <h2>Where to start</h2>
 *
 * <pre>{@code
 * ShardId left = new ShardId("left");
 * ShardId right = new ShardId("right");
 * NodeId a = new NodeId("a");
 * NodeId b = new NodeId("b");
 * ClusterTopology topology = ClusterTopology.EMPTY.apply(
 *         ClusterTopology.EMPTY.version(),
 *         List.of(
 *                 new TopologyChange.AddShard(left, Epoch.of(1, 0), a, List.of(b)),
 *                 new TopologyChange.AddShard(right, Epoch.of(1, 0), new NodeId("c"), List.of()),
 *                 new TopologyChange.SetAddress(a, new NodeAddress("10.0.0.1", 7000))));
 * topology = SlotPlan.evenSplit(topology, List.of(left, right)).applyTo(topology);
 *
 * NodeId primary = topology.primaryOf(HashSlot.of("key"));
 *
 * ClusterTopology promoted =
 *         topology.apply(topology.version(), new TopologyChange.Promote(left, Epoch.of(2, 1), b));
 * List<TopologyChange> news = topology.changesTo(promoted);
 * ClusterTopology same = topology.merge(ClusterTopology.parse(promoted.toText()));
 * }</pre>
 *
 * <h2>Changing a topology</h2>
 *
 * <ol>
 *   <li>Read the current {@link io.kvorum.slots.topology.ClusterTopology} and decide by it.
 *   <li>{@link io.kvorum.slots.topology.ClusterTopology#apply Apply} the changes to the version that was read. If
 *       somebody was faster, or a change is impossible, a {@link io.kvorum.slots.topology.TopologyConflictException}
 *       says which rule was broken; nothing has changed. Read again.
 *   <li>Publish the result. Each recipient {@linkplain io.kvorum.slots.topology.ClusterTopology#merge merges} it into
 *       what it knows.
 * </ol>
 *
 * <p>Apply all changes of a shard's slots in one place: of two changes of one slot that are made at the same time on
 * two sides, a merge keeps one. Promotions and member lists come from the shard itself, ordered by epoch and log
 * position, so several parties may apply them as they learn of them.
 *
 * <h2>Moving slots</h2>
 *
 * <p>{@link io.kvorum.slots.topology.SlotPlan} plans which slots to assign or move, to split, rebalance or drain
 * shards. A plan changes nothing until it is applied, at once or step by step.
 *
 * <h2>Counting majorities</h2>
 *
 * <p>{@link io.kvorum.slots.topology.Membership} is the one place that counts a majority of a shard's members, over one
 * member list or, while the list changes, over two.
 *
 * <h2>Threads</h2>
 *
 * <p>All types are immutable, and safe for use by any number of threads.
 *
 * <h2>Types by role</h2>
 *
 * <ul>
 *   <li>the topology: {@link io.kvorum.slots.topology.ClusterTopology}, {@link io.kvorum.slots.topology.Shard},
 *       {@link io.kvorum.slots.topology.TopologyChange}, {@link io.kvorum.slots.topology.SlotPlan}
 *   <li>identities: {@link io.kvorum.slots.topology.NodeId}, {@link io.kvorum.slots.topology.ShardId}; a node's address
 *       is an attribute, {@link io.kvorum.slots.topology.NodeAddress}
 *   <li>order: {@link io.kvorum.slots.topology.Epoch}, {@link io.kvorum.slots.topology.LogPosition}
 *   <li>majorities: {@link io.kvorum.slots.topology.Member}, {@link io.kvorum.slots.topology.MemberList},
 *       {@link io.kvorum.slots.topology.Membership}
 *   <li>refusals: {@link io.kvorum.slots.topology.TopologyConflictException} of a change,
 *       {@link io.kvorum.slots.topology.RefusedException} of a request to a node
 * </ul>
 */
package io.kvorum.slots.topology;
