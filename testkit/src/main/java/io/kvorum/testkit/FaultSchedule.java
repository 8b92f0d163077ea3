package io.kvorum.testkit;

import static java.util.Objects.requireNonNull;

import io.kvorum.replication.NodeStatus;
import io.kvorum.slots.Scheduler;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.Membership;
import io.kvorum.slots.topology.NodeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Queue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantLock;

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
    private static final List<StopPoint> STOP_POINTS = List.of(StopPoint.values());
    private static final Duration PLACED_FOR = Duration.ofSeconds(20);
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

        @Override
        public String toString() {
            return String.format(Locale.ROOT, "%10.6f %s %s", at / 1e9, kind, what);
        }
    }

    /** A crash that waits for its moment. */
    private record Armed(StopPoint point, long until, Duration length) {}

    private final LocalCluster cluster;
    private final Scheduler scheduler;
    private final long seed;
    private final DrawnFaults drawn;

    /** Of the fault that is drawn. */
    private SplittableRandom random;

    private final List<FaultKind> kinds;
    private final double paceNanos;
    private final long end;
    private final List<Fault> faults = new ArrayList<>();
    private final Queue<Armed> armed = new ConcurrentLinkedQueue<>();

    /** Not a monitor: a party that comes to a stop point does not wait for whoever is about to crash it. */
    private final ReentrantLock lock = new ReentrantLock();

    private int number;

    /** What lasts, in the order in which it began: how to undo it. */
    private final Set<Lasting> lasting = new LinkedHashSet<>();

    /** How to begin anew what lasts of the faults of the network. */
    private final Set<Runnable> network = new LinkedHashSet<>();

    private boolean over;

    private FaultSchedule(LocalCluster cluster, long seed, Duration length, Set<FaultKind> allowed, DrawnFaults drawn) {
        this.cluster = cluster;
        this.scheduler = cluster.scheduler();
        this.seed = seed;
        this.drawn = drawn;
        this.random = DrawnFaults.random(seed, 0);
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
     * @param length after which time from now on all faults are undone; positive, at most a hundred years
     * @param kinds the kinds that may be drawn; none for all
     * @return the schedule
     * @throws IllegalArgumentException if {@code length} is out of range
     * @throws IllegalStateException if the cluster was closed
     */
    public static FaultSchedule begin(LocalCluster cluster, long seed, Duration length, FaultKind... kinds) {
        return begin(cluster, seed, length, DrawnFaults.all(), kinds);
    }

    /** As {@link #begin(LocalCluster, long, Duration, FaultKind...)}, with some of what is drawn left out. */
    static FaultSchedule begin(
            LocalCluster cluster, long seed, Duration length, DrawnFaults drawn, FaultKind... kinds) {
        if (length.isZero()) {
            throw new IllegalArgumentException("length must be positive: " + length);
        }
        ClusterTime.checked("length", length);
        cluster.requireOpen();
        Set<FaultKind> allowed = EnumSet.noneOf(FaultKind.class);
        allowed.addAll(kinds.length == 0 ? EnumSet.allOf(FaultKind.class) : List.of(kinds));
        FaultSchedule schedule = new FaultSchedule(cluster, seed, length, allowed, drawn);
        cluster.links().numberMessages();
        if (schedule.kinds.contains(FaultKind.PLACED_CRASH)) {
            for (StopPoint point : STOP_POINTS) {
                cluster.at(point, schedule::hit);
            }
        }
        schedule.later();
        schedule.scheduler.schedule(schedule::end, length.toNanos());
        return schedule;
    }

    /** {@return the faults that have happened so far, oldest first} */
    public List<Fault> faults() {
        lock.lock();
        try {
            return List.copyOf(faults);
        } finally {
            lock.unlock();
        }
    }

    /** {@return the kinds that this seed takes} */
    public Set<FaultKind> kinds() {
        return EnumSet.copyOf(kinds);
    }

    /** {@return whether the faults have ended, all of them undone} */
    public boolean isOver() {
        lock.lock();
        try {
            return over;
        } finally {
            lock.unlock();
        }
    }

    /** Undoes all faults, and draws no more. Has no effect once they are over. */
    public void end() {
        lock.lock();
        try {
            if (!over) {
                over = true;
                network.clear();
                if (!cluster.isClosed()) {
                    cluster.heal();
                    List.copyOf(lasting).forEach(Runnable::run);
                }
            }
        } finally {
            lock.unlock();
        }
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

    /** Has the next fault happen. Each draws from numbers of its own, so that it is the same without the others. */
    private void later() {
        int next = ++number;
        random = DrawnFaults.random(seed, next);
        double gap = -Math.log(1 - random.nextDouble()) * paceNanos;
        scheduler.schedule(() -> strike(next), Math.max(1, (long) gap));
    }

    private void strike(int fault) {
        lock.lock();
        try {
            if (over || scheduler.nanoTime() - end >= 0) {
                return;
            }
            if (drawn.takes(fault)) {
                drawn.begins(fault);
                draw(fault);
            }
            later();
        } finally {
            lock.unlock();
        }
    }

    private void draw(int fault) {
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
            case DROP -> messages(fault, kind, Network.Fate.LOST, length);
            case DUPLICATE -> messages(fault, kind, Network.Fate.REPEATED, length);
            case REORDER -> messages(fault, kind, Network.Fate.OVERTAKEN, length);
            case PAUSE -> pause(length);
            case SLOW_STEPS -> slow(length);
            case CLOCK_JUMP -> jump(length);
            case PLACED_CRASH -> place(length);
            case LOST_STATE -> loseState();
            case DISK_FULL -> fillDisk(length);
        }
    }

    private void messages(int fault, FaultKind kind, Network.Fate fate, Duration length) {
        double share = share();
        String what = String.format(Locale.ROOT, "%.0f %% of the messages", 100 * share);
        Network.Rule rule = (message, n) ->
                drawn.strikes(seed, fault, share, message, n, scheduler.nanoTime()) ? fate : Network.Fate.CARRIED;
        network(kind, what, length, () -> cluster.links().rule(rule, kind + " " + what));
    }

    /** As many short ones as long ones, by their order of magnitude. */
    private Duration length() {
        return Duration.ofNanos((long) (SHORTEST.toNanos() * Math.pow(2, DOUBLINGS * random.nextDouble())));
    }

    private double share() {
        return 0.01 * Math.pow(50, random.nextDouble());
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

    /** Something that is undone once, after a time or at the end of all, unless the same lasts longer by another. */
    private final class Lasting implements Runnable {
        private final Object what;
        private final Runnable undo;

        Lasting(Object what, Runnable undo) {
            this.what = what;
            this.undo = undo;
        }

        @Override
        public void run() {
            lock.lock();
            try {
                if (lasting.remove(this) && lasting.stream().noneMatch(other -> other.what.equals(what))) {
                    undo.run();
                }
            } finally {
                lock.unlock();
            }
        }
    }

    private void undoLater(Duration length, Runnable undo) {
        undoLater(new Object(), length, undo);
    }

    /** Undoes what is done to a party. */
    private void undoLater(FaultKind kind, NodeId party, Duration length, Runnable undo) {
        undoLater(List.of(kind, party), length, undo);
    }

    private void undoLater(Object what, Duration length, Runnable undo) {
        Lasting once = new Lasting(what, undo);
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
            crash(FaultKind.CRASH, sentinel(), length, "");
        } else {
            crash(FaultKind.CRASH, node(), length, "");
        }
    }

    private void crash(FaultKind kind, LocalSentinel sentinel, Duration length, String where) {
        if (mayStop(sentinel)) {
            happened(kind, sentinel + where + forTime(length));
            sentinel.crash();
            undoLater(length, () -> {
                if (!sentinel.isRunning()) {
                    sentinel.restart();
                }
            });
        }
    }

    private void crash(FaultKind kind, LocalNode node, Duration length, String where) {
        if (mayLoseItsData(node)) {
            happened(kind, node + where + forTime(length));
            node.crash();
            undoLater(length, () -> {
                if (!node.isRunning()) {
                    node.restart();
                }
            });
        }
    }

    private void place(Duration length) {
        StopPoint point = STOP_POINTS.get(random.nextInt(STOP_POINTS.size()));
        armed.add(new Armed(point, scheduler.nanoTime() + PLACED_FOR.toNanos(), length));
    }

    /** A party has come to a stop point, and crashes there if a crash is waiting for that. */
    private void hit(StopPoint.Hit hit) {
        if (armed.isEmpty() || !lock.tryLock()) { // whoever holds it may be about to crash this party
            return;
        }
        try {
            armed.removeIf(each -> scheduler.nanoTime() - each.until > 0);
            Armed found = armed.stream()
                    .filter(each -> each.point == hit.point())
                    .findFirst()
                    .orElse(null);
            if (found == null || over) {
                return;
            }
            armed.remove(found);
            String where = " at " + hit.point();
            for (LocalNode node : cluster.nodes()) {
                if (node.id().equals(hit.party())) {
                    crash(FaultKind.PLACED_CRASH, node, found.length, where);
                }
            }
            for (LocalSentinel sentinel : cluster.sentinels()) {
                if (sentinel.id().equals(hit.party())) {
                    crash(FaultKind.PLACED_CRASH, sentinel, found.length, where);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private void loseState() {
        if (ofASentinel()) {
            LocalSentinel sentinel = sentinel();
            if (mayStop(sentinel)) {
                happened(FaultKind.LOST_STATE, sentinel.toString());
                sentinel.crash();
                sentinel.restartWithoutState();
            }
        } else {
            LocalNode node = node();
            if (mayLoseItsData(node)) {
                happened(FaultKind.LOST_STATE, node.toString());
                node.crash();
                node.restartOnNewDisk();
            }
        }
    }

    private void fillDisk(Duration length) {
        if (ofASentinel()) {
            LocalSentinel sentinel = sentinel();
            happened(FaultKind.DISK_FULL, sentinel + forTime(length));
            sentinel.fillDisk();
            undoLater(FaultKind.DISK_FULL, sentinel.id(), length, sentinel::freeDisk);
        } else {
            LocalNode node = node();
            happened(FaultKind.DISK_FULL, node + forTime(length));
            node.fillDisk();
            undoLater(FaultKind.DISK_FULL, node.id(), length, node::freeDisk);
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
                undoLater(FaultKind.PAUSE, sentinel.id(), length, sentinel::resume);
            }
        } else {
            LocalNode node = node();
            if (node.isRunning()) {
                happened(FaultKind.PAUSE, node + forTime(length));
                node.pause();
                undoLater(FaultKind.PAUSE, node.id(), length, node::resume);
            }
        }
    }

    private void slow(Duration length) {
        Duration delay = Duration.ofMillis(1L << random.nextInt(9));
        if (ofASentinel()) {
            LocalSentinel sentinel = sentinel();
            happened(FaultKind.SLOW_STEPS, sentinel + " by " + delay + forTime(length));
            sentinel.slowSteps(delay);
            undoLater(FaultKind.SLOW_STEPS, sentinel.id(), length, () -> sentinel.slowSteps(Duration.ZERO));
        } else {
            LocalNode node = node();
            happened(FaultKind.SLOW_STEPS, node + " by " + delay + forTime(length));
            node.slowSteps(delay);
            undoLater(FaultKind.SLOW_STEPS, node.id(), length, () -> node.slowSteps(Duration.ZERO));
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

    /** {@return whether a node has its data, and counts as the member that it is} */
    private static boolean hasItsData(LocalNode node) {
        try {
            NodeStatus status = node.status();
            Membership members = status.membership();
            return status.complete()
                    && members != null
                    && members.isMember(new Member(node.id(), status.incarnation()));
        } catch (IllegalStateException e) { // it does not run
            return false;
        }
    }
}
