package io.kvorum.failover;

import io.kvorum.failover.NodeAnswer.Outcome;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.Membership;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A node without data: its log is a list of numbered records, and a replication message carries all of it. It keeps
 * every rule that safety rests on: promises with a holder, incarnations, lives, member lists with joint majorities.
 */
final class FakeNode {
    /** A record: a write, or a list of members. The first record of a leadership is its beginning. */
    record Entry(long epoch, long number, @Nullable MemberList members) {}

    record Append(NodeId from, long epoch, long incarnation, long life, int committed, List<Entry> log) {}

    /** Length -1: nothing was taken. */
    record Ack(NodeId from, long epoch, Member member, long life, int length) {}

    record StaleEpoch(NodeId from, long epoch) {}

    private record Acked(long life, int length) {}

    final NodeId id;
    final ShardId shard;
    boolean up = true;
    int priority = 100;

    // Kept over a restart.
    long incarnation;
    long promised;

    @Nullable
    NodeId holder;

    boolean begun;

    // Kept with the data.
    List<Entry> log = new ArrayList<>();
    boolean complete = true;

    private long life = 1;
    int committed;
    private long leading;

    @Nullable
    NodeId following;

    private long pausedUntil;
    private boolean paused;
    private Map<Member, Acked> acked = new LinkedHashMap<>();
    private @Nullable NodeId outgoing;
    private @Nullable NodeId incoming;

    FakeNode(NodeId id, ShardId shard, long incarnation) {
        this.id = id;
        this.shard = shard;
        this.incarnation = incarnation;
    }

    // Life and death.

    void restart(boolean withData, boolean withPromise, long newIncarnation) {
        up = true;
        leading = 0;
        following = null;
        paused = false;
        life++;
        if (!withData) {
            log = new ArrayList<>();
            committed = 0;
            complete = !begun;
        }
        if (!withPromise) {
            incarnation = newIncarnation;
            promised = 0;
            holder = null;
            begun = false;
            complete = log.isEmpty();
        }
    }

    boolean isPrimary() {
        return leading > 0 && leading == promised;
    }

    long leading() {
        return leading;
    }

    boolean takesWrites(long now) {
        return up && isPrimary() && !(paused && now - pausedUntil < 0);
    }

    Member member() {
        return new Member(id, incarnation);
    }

    LogPosition position() {
        return log.isEmpty() ? LogPosition.START : new LogPosition(log.get(log.size() - 1).epoch, log.size());
    }

    @Nullable
    Membership membership() {
        MemberList current = null;
        for (int i = log.size() - 1; i >= 0; i--) {
            MemberList members = log.get(i).members;
            if (members != null && current != null) {
                return new Membership(current, members);
            } else if (members != null && i < committed) {
                return Membership.committed(members);
            } else if (members != null) {
                current = members;
            }
        }
        return current == null ? null : new Membership(current, null);
    }

    // Commands.

    NodeAnswer handle(NodeCommand command, long now) {
        Outcome outcome = command.shard().equals(shard) ? carryOut(command, now) : Outcome.WRONG_SHARD;
        return new NodeAnswer(command, outcome, report());
    }

    NodeReport report() {
        return new NodeReport(
                id,
                shard,
                incarnation,
                isPrimary(),
                promised,
                isPrimary() ? null : following,
                position(),
                complete,
                begun,
                membership(),
                priority);
    }

    private Outcome carryOut(NodeCommand command, long now) {
        if (command instanceof NodeCommand.Fence fence) {
            return promise(fence.epoch(), fence.holder());
        } else if (command instanceof NodeCommand.Promote promote) {
            return promote(promote);
        } else if (command instanceof NodeCommand.Begin begin) {
            return begin(begin);
        } else if (command instanceof NodeCommand.Follow follow) {
            if (follow.epoch() < promised) {
                return Outcome.STALE_EPOCH;
            } else if (leading == follow.epoch()) {
                return Outcome.OTHER_PRIMARY;
            }
            promiseAbove(follow.epoch());
            following = follow.primary();
            return Outcome.DONE;
        } else if (command instanceof NodeCommand.Pause pause) {
            if (!isPrimary() || leading != pause.epoch()) {
                return Outcome.NOT_PRIMARY;
            }
            paused = true;
            pausedUntil = now + pause.limit().toNanos();
        } else if (command instanceof NodeCommand.Resume resume) {
            if (!isPrimary() || leading != resume.epoch()) {
                return Outcome.NOT_PRIMARY;
            }
            paused = false;
        } else if (command instanceof NodeCommand.Replace replace) {
            if (!isPrimary() || leading != replace.epoch()) {
                return Outcome.NOT_PRIMARY;
            }
            outgoing = replace.outgoing();
            incoming = replace.incoming();
        }
        return Outcome.DONE;
    }

    private Outcome promise(long epoch, NodeId by) {
        if (epoch < promised) {
            return Outcome.STALE_EPOCH;
        } else if (epoch == promised && !by.equals(holder)) {
            return Outcome.OTHER_HOLDER;
        } else if (epoch > promised) {
            promiseAbove(epoch);
            holder = by;
        }
        return Outcome.DONE;
    }

    private void promiseAbove(long epoch) {
        if (epoch > promised) {
            promised = epoch;
            holder = null;
            leading = 0;
            following = null;
        }
    }

    private Outcome promote(NodeCommand.Promote promote) {
        if (promote.epoch() < promised) {
            return Outcome.STALE_EPOCH;
        } else if (promote.epoch() > promised) {
            return Outcome.NOT_FENCED;
        } else if (!promote.holder().equals(holder)) {
            return Outcome.OTHER_HOLDER;
        } else if (leading == promote.epoch()) {
            return Outcome.DONE;
        } else if (following != null) {
            return Outcome.OTHER_PRIMARY;
        } else if (promote.incarnation() != incarnation) {
            return Outcome.OTHER_INCARNATION;
        } else if (!complete) {
            return Outcome.NOT_COMPLETE;
        } else if (!position().equals(promote.expected())) {
            return Outcome.WRONG_POSITION;
        }
        lead(promote.epoch(), null);
        return Outcome.DONE;
    }

    private Outcome begin(NodeCommand.Begin begin) {
        if (begin.epoch() < promised) {
            return Outcome.STALE_EPOCH;
        } else if (begin.epoch() > promised) {
            return Outcome.NOT_FENCED;
        } else if (!begin.holder().equals(holder)) {
            return Outcome.OTHER_HOLDER;
        } else if (leading == begin.epoch()) {
            return Outcome.DONE;
        } else if (!begin.dataLost() && (begun || !log.isEmpty())) {
            return Outcome.ALREADY_BEGUN;
        }
        complete = true;
        lead(begin.epoch(), begin.members());
        return Outcome.DONE;
    }

    void lead(long epoch, @Nullable MemberList members) {
        leading = epoch;
        promised = epoch;
        following = null;
        paused = false;
        begun = true;
        outgoing = null;
        incoming = null;
        acked = new LinkedHashMap<>();
        log.add(new Entry(epoch, 0, null));
        if (members != null) {
            log.add(new Entry(epoch, 0, members));
        }
        commit();
    }

    // Replication.

    void write(long number) {
        log.add(new Entry(leading, number, null));
        commit();
    }

    /** {@return the messages to the nodes that this primary feeds} */
    Map<NodeId, Append> appends() {
        Set<NodeId> downstream = new TreeSet<>();
        Membership membership = membership();
        if (membership != null) {
            downstream.addAll(membership.nodes());
        }
        if (incoming != null) {
            downstream.add(incoming);
        }
        downstream.remove(id);
        Map<NodeId, Append> appends = new LinkedHashMap<>();
        for (NodeId node : downstream) {
            Member latest = latest(node);
            Acked known = latest == null ? null : acked.get(latest);
            appends.put(
                    node,
                    new Append(
                            id,
                            leading,
                            latest == null ? 0 : latest.incarnation(),
                            known == null ? 0 : known.life,
                            committed,
                            List.copyOf(log)));
        }
        return appends;
    }

    /** The incarnation of a node that acknowledged last. */
    private @Nullable Member latest(NodeId node) {
        Member latest = null;
        for (Member each : acked.keySet()) {
            latest = each.node().equals(node) ? each : latest;
        }
        return latest;
    }

    /** {@return the answer: an {@link Ack} or a {@link StaleEpoch}; null for none} */
    @Nullable
    Object receive(Append append) {
        if (append.epoch < promised) {
            return new StaleEpoch(id, promised);
        } else if (leading == append.epoch) {
            return null;
        }
        Membership known = membership();
        if (known != null && !known.knows(append.from) && !append.from.equals(following)) {
            return null;
        }
        promiseAbove(append.epoch);
        following = append.from;
        if (!complete || !begun) {
            if (append.incarnation != incarnation || append.life != life) {
                return new Ack(id, append.epoch, member(), life, -1);
            }
            log = new ArrayList<>(append.log);
            complete = true;
            begun = true;
        } else if (position().epoch() < append.epoch || log.size() < append.log.size()) {
            log = new ArrayList<>(append.log);
        }
        if (position().epoch() == append.epoch) {
            committed = Math.max(Math.min(committed, log.size()), Math.min(append.committed, log.size()));
        }
        return new Ack(id, append.epoch, member(), life, log.size());
    }

    void receive(StaleEpoch stale) {
        promiseAbove(stale.epoch);
    }

    void receive(Ack ack) {
        if (!isPrimary() || leading != ack.epoch) {
            return;
        }
        Acked before = acked.remove(ack.member);
        if (before != null && before.life > ack.life) {
            acked.put(ack.member, before);
            return;
        }
        int length = before != null && before.life == ack.life ? Math.max(before.length, ack.length) : ack.length;
        acked.put(ack.member, new Acked(ack.life, length));
        commit();
        takeIn(ack.member, length);
    }

    private void takeIn(Member member, int length) {
        Membership membership = membership();
        boolean ownBegun = committed > 0 && log.get(committed - 1).epoch == leading;
        if (membership == null || membership.previous() != null || !ownBegun || length < 0 || isChanging()) {
            return;
        }
        Member listed = membership.current().member(member.node());
        if (listed != null && !listed.equals(member)) {
            log.add(new Entry(leading, 0, membership.current().withIncarnation(member)));
        } else if (member.node().equals(incoming)
                && outgoing != null
                && membership.current().member(outgoing) != null
                && length >= log.size() - 3) {
            log.add(new Entry(leading, 0, membership.current().replacing(outgoing, member)));
        }
        commit();
    }

    private boolean isChanging() {
        for (int i = committed; i < log.size(); i++) {
            if (log.get(i).members != null) {
                return true;
            }
        }
        return false;
    }

    private void commit() {
        Membership membership = membership();
        if (membership == null) {
            return;
        }
        int held = (int) membership.majorityValue(
                member -> member.equals(member()) ? log.size() : acked.getOrDefault(member, new Acked(0, -1)).length);
        if (held > committed && log.get(held - 1).epoch == leading) {
            committed = held;
        }
    }

    @Override
    public String toString() {
        String role = isPrimary() ? "primary" : following == null ? "alone" : "follows " + following;
        return id + (up ? "" : " (down)") + " " + role + ", promised "
                + Epoch.toString(promised) + (complete ? "" : ", incomplete")
                + (begun ? "" : ", never begun");
    }
}
