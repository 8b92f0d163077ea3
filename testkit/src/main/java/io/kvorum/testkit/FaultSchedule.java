package io.kvorum.testkit;

import static java.util.Objects.requireNonNull;

import io.kvorum.slots.Scheduler;
import io.kvorum.slots.topology.NodeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * Faults that are drawn from a seed and happen to a cluster for some time: crashes, cuts, delays, pauses and whatever
 * else {@link FaultKind} has. At the end all of them are undone, and the cluster must become whole again.
 *
 * <pre>{@code
 * FaultSchedule faults = FaultSchedule.begin(cluster, 42, Duration.ofMinutes(2));
 * // ... use the cluster: cluster.client().set(key, value) ...
 * faults.finish(Duration.ofMinutes(1));
 * // ... look whether everything is there ...
 * }</pre>
 *
 * <p>Each seed takes some of the kinds only, and its own pace, so that a thousand seeds are not a thousand times the
 * same mixture. In virtual time the same seed does the same to a cluster that is used alike.
 *
 * <p><b>What cannot happen.</b> No write is lost that a majority has acknowledged, however the draws fall: a node that
 * was killed has no data until it is complete again, and of the nodes of a shard never more than a minority are without
 * data at one time. So a shard of fewer than three nodes loses none. A test that crashes nodes beside the schedule
 * takes this into its own hands.
 *
 * <p>The network is healed as a whole whenever a fault of it ends, and what still lasts is begun anew. That ends cuts,
 * delays and losses that the test has made itself, too.
 *
 * <p>Safe for use by any number of threads, as far as the cluster is.
 */
public final class FaultSchedule {
    private static final Duration SHORTEST = Duration.ofMillis(50);
    private static final int DOUBLINGS = 9; // up to about 25 seconds
    private static final double SHORTEST_PACE_SECONDS = 1;
    private static final double LONGEST_PACE_SECONDS = 8;

    /**
     * A fault that happened.
     *
     * @param at when it began, in nanoseconds of the cluster's {@linkplain LocalCluster#scheduler scheduler}
     * @param kind what kind of fault
     * @param what what happened to whom, and for how long
     */
    public record Fault(long at, FaultKind kind, String what) {
        /** Checks the parts. */
        public Fault {
            requireNonNull(kind, "kind");
            requireNonNull(what, "what");
        }
    }

    private final LocalCluster cluster;
    private final Scheduler scheduler;
    private final SplittableRandom random;
    private final SplittableRandom losses;
    private final List<FaultKind> kinds;
    private final double paceNanos;
    private final long end;
    private final List<Fault> faults = new ArrayList<>();

    /** What lasts, in the order in which it began: how to undo it. */
    private final Set<Runnable> lasting = new LinkedHashSet<>();

    /** How to begin anew what lasts of the faults of the network. */
    private final Set<Runnable> network = new LinkedHashSet<>();

    private boolean over;

    private FaultSchedule(LocalCluster cluster, long seed, Duration length, Set<FaultKind> allowed) {
        this.cluster = cluster;
        this.scheduler = cluster.scheduler();
        this.random = new SplittableRandom(seed);
        this.losses = random.split();
        this.kinds = swarm(allowed);
        double pace =
                SHORTEST_PACE_SECONDS * Math.pow(LONGEST_PACE_SECONDS / SHORTEST_PACE_SECONDS, random.nextDouble());
        this.paceNanos = pace * Duration.ofSeconds(1).toNanos();
        this.end = scheduler.nanoTime() + length.toNanos();
    }

    /** About half of the kinds, but at least one. */
    private List<FaultKind> swarm(Set<FaultKind> allowed) {
        List<FaultKind> all = List.copyOf(EnumSet.copyOf(allowed));
        List<FaultKind> drawn = new ArrayList<>();
        for (FaultKind kind : all) {
            if (random.nextBoolean()) {
                drawn.add(kind);
            }
        }
        return drawn.isEmpty() ? List.of(all.get(random.nextInt(all.size()))) : List.copyOf(drawn);
    }

    /**
     * Begins a schedule. Its faults happen while the cluster's time goes by, as tasks of its scheduler.
     *
     * @param cluster the cluster, which should be ready
     * @param seed the seed of all draws
     * @param length after which time from now on all faults are undone; positive
     * @param kinds the kinds that may be drawn; none for all
     * @return the schedule
     * @throws IllegalArgumentException if {@code length} is not positive
     */
    public static FaultSchedule begin(LocalCluster cluster, long seed, Duration length, FaultKind... kinds) {
        if (length.isNegative() || length.isZero()) {
            throw new IllegalArgumentException("length must be positive: " + length);
        }
        Set<FaultKind> allowed = EnumSet.noneOf(FaultKind.class);
        allowed.addAll(kinds.length == 0 ? EnumSet.allOf(FaultKind.class) : List.of(kinds));
        FaultSchedule schedule = new FaultSchedule(cluster, seed, length, allowed);
        schedule.later();
        schedule.scheduler.schedule(schedule::end, length.toNanos());
        return schedule;
    }

    /** {@return the faults that have happened so far, oldest first} */
    public synchronized List<Fault> faults() {
        return List.copyOf(faults);
    }

    /** {@return the kinds that this seed takes} */
    public Set<FaultKind> kinds() {
        return EnumSet.copyOf(kinds);
    }

    /** {@return whether the faults have ended, all of them undone} */
    public synchronized boolean isOver() {
        return over;
    }

    /** Undoes all faults, and draws no more. Has no effect once they are over. */
    public synchronized void end() {
        if (over) {
            return;
        }
        over = true;
        network.clear();
        cluster.heal();
        List.copyOf(lasting).forEach(Runnable::run);
    }

    /**
     * Undoes all faults, and waits until the cluster is whole again: every slot served, every running node complete.
     *
     * @param limit how long to wait at most
     * @throws IllegalStateException if it is not whole by then; the message says what is missing
     */
    public void finish(Duration limit) {
        end();
        cluster.awaitReady(limit);
    }

    @Override
    public String toString() {
        return "FaultSchedule[" + kinds + ", " + faults().size() + " faults" + (isOver() ? ", over" : "") + "]";
    }

    // ---- the draws

    private void later() {
        double gap = -Math.log(1 - random.nextDouble()) * paceNanos;
        scheduler.schedule(this::strike, Math.max(1, (long) gap));
    }

    private synchronized void strike() {
        if (over || scheduler.nanoTime() - end >= 0) {
            return;
        }
        FaultKind kind = kinds.get(random.nextInt(kinds.size()));
        Duration length = length();
        switch (kind) {
            case CRASH -> crash(length);
            case RESTART -> restart();
            case PARTITION -> {
                List<NodeId> side = side();
                network(kind, "between " + side + " and the others", length, () -> cluster.partition(side));
            }
            case ONE_WAY_CUT -> {
                List<NodeId> side = side();
                List<NodeId> others = others(side);
                network(kind, "from " + side + " to the others", length, () -> cluster.cut(side, others));
            }
            case DELAY -> {
                List<NodeId> side = side();
                List<NodeId> others = others(side);
                Duration most = Duration.ofMillis(1L << (1 + random.nextInt(11)));
                network(
                        kind,
                        "up to " + most + " from " + side + " to the others",
                        length,
                        () -> cluster.delay(side, others, Duration.ZERO, most));
            }
            case DROP -> {
                double share = share();
                network(kind, percent(share), length, () -> cluster.drop(message -> isLost(share)));
            }
            case DUPLICATE -> {
                double share = share();
                network(kind, percent(share), length, () -> cluster.duplicate(share));
            }
            case REORDER -> {
                double share = share();
                network(kind, percent(share), length, () -> cluster.reorder(share));
            }
            case PAUSE -> pause(length);
            case SLOW_STEPS -> slow(length);
            case CLOCK_JUMP -> jump(length);
        }
        later();
    }

    /** As many short ones as long ones, by their order of magnitude. */
    private Duration length() {
        return Duration.ofNanos((long) (SHORTEST.toNanos() * Math.pow(2, DOUBLINGS * random.nextDouble())));
    }

    private double share() {
        return 0.01 * Math.pow(50, random.nextDouble());
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.0f %% of the messages", 100 * share);
    }

    private boolean isLost(double share) {
        synchronized (losses) {
            return losses.nextDouble() < share;
        }
    }

    private List<NodeId> everybody() {
        List<NodeId> everybody = new ArrayList<>();
        cluster.nodes().forEach(node -> everybody.add(node.id()));
        cluster.sentinels().forEach(sentinel -> everybody.add(sentinel.id()));
        everybody.add(LocalCluster.CLIENT);
        return everybody;
    }

    private List<NodeId> others(List<NodeId> side) {
        List<NodeId> others = everybody();
        others.removeAll(side);
        return others;
    }

    /** One party, or about half of all. */
    private List<NodeId> side() {
        List<NodeId> everybody = everybody();
        if (random.nextBoolean()) {
            return List.of(everybody.get(random.nextInt(everybody.size())));
        }
        everybody.removeIf(party -> random.nextBoolean());
        return everybody;
    }

    private LocalNode node() {
        return cluster.nodes().get(random.nextInt(cluster.nodes().size()));
    }

    private LocalSentinel sentinel() {
        return cluster.sentinels().get(random.nextInt(cluster.sentinels().size()));
    }

    private boolean ofASentinel() {
        return random.nextInt(4) == 0;
    }

    // ---- the faults

    private void happened(FaultKind kind, String what) {
        faults.add(new Fault(scheduler.nanoTime(), kind, what));
    }

    private static String forTime(Duration length) {
        return " for " + Duration.ofMillis(length.toMillis());
    }

    /** Undoes something once, after a time or at the end of all. */
    private void undoLater(Duration length, Runnable undo) {
        Runnable once = new Runnable() {
            @Override
            public void run() {
                synchronized (FaultSchedule.this) {
                    if (lasting.remove(this)) {
                        undo.run();
                    }
                }
            }
        };
        lasting.add(once);
        scheduler.schedule(once, length.toNanos());
    }

    private void network(FaultKind kind, String what, Duration length, Runnable fault) {
        happened(kind, what + forTime(length));
        network.add(fault);
        fault.run();
        undoLater(length, () -> {
            if (network.remove(fault)) {
                cluster.heal();
                network.forEach(Runnable::run);
            }
        });
    }

    private void crash(Duration length) {
        if (ofASentinel()) {
            LocalSentinel sentinel = sentinel();
            if (mayStop(sentinel)) {
                happened(FaultKind.CRASH, sentinel + forTime(length));
                sentinel.crash();
                undoLater(length, () -> {
                    if (!sentinel.isRunning()) {
                        sentinel.restart();
                    }
                });
            }
        } else {
            LocalNode node = node();
            if (mayLoseItsData(node)) {
                happened(FaultKind.CRASH, node + forTime(length));
                node.crash();
                undoLater(length, () -> {
                    if (!node.isRunning()) {
                        node.restart();
                    }
                });
            }
        }
    }

    private void restart() {
        if (ofASentinel()) {
            LocalSentinel sentinel = sentinel();
            if (mayStop(sentinel)) {
                happened(FaultKind.RESTART, sentinel.toString());
                sentinel.crash();
                sentinel.restart();
            }
        } else {
            LocalNode node = node();
            if (mayLoseItsData(node)) {
                happened(FaultKind.RESTART, node.toString());
                node.crash();
                node.restart();
            }
        }
    }

    private void pause(Duration length) {
        if (ofASentinel()) {
            LocalSentinel sentinel = sentinel();
            if (sentinel.isRunning()) {
                happened(FaultKind.PAUSE, sentinel + forTime(length));
                sentinel.pause();
                undoLater(length, sentinel::resume);
            }
        } else {
            LocalNode node = node();
            if (node.isRunning()) {
                happened(FaultKind.PAUSE, node + forTime(length));
                node.pause();
                undoLater(length, node::resume);
            }
        }
    }

    private void slow(Duration length) {
        Duration delay = Duration.ofMillis(1L << random.nextInt(9));
        if (ofASentinel()) {
            LocalSentinel sentinel = sentinel();
            happened(FaultKind.SLOW_STEPS, sentinel + " by " + delay + forTime(length));
            sentinel.slowSteps(delay);
            undoLater(length, () -> sentinel.slowSteps(Duration.ZERO));
        } else {
            LocalNode node = node();
            happened(FaultKind.SLOW_STEPS, node + " by " + delay + forTime(length));
            node.slowSteps(delay);
            undoLater(length, () -> node.slowSteps(Duration.ZERO));
        }
    }

    private void jump(Duration length) {
        LocalNode node = node();
        Duration distance = Duration.ofMillis(random.nextLong(-60_000, 60_001));
        happened(FaultKind.CLOCK_JUMP, node + " by " + distance + forTime(length));
        node.clockJump(distance);
        undoLater(length, () -> node.clockJump(distance.negated()));
    }

    // ---- what may happen

    /** A majority of the sentinels runs at any time, or nobody would be failed over. */
    private boolean mayStop(LocalSentinel sentinel) {
        List<LocalSentinel> all = cluster.sentinels();
        long down = all.stream().filter(other -> !other.isRunning()).count();
        return sentinel.isRunning() && down + 1 <= (all.size() - 1) / 2;
    }

    /** At most a minority of a shard is without data at any time, or acknowledged writes could be lost. */
    private boolean mayLoseItsData(LocalNode node) {
        List<LocalNode> members = cluster.nodes(node.shard());
        long without = members.stream()
                .filter(member -> member == node || !hasItsData(member))
                .count();
        return hasItsData(node) && without <= (members.size() - 1) / 2;
    }

    private static boolean hasItsData(LocalNode node) {
        try {
            return node.status().complete();
        } catch (IllegalStateException e) { // it does not run
            return false;
        }
    }
}
