package io.kvorum.testkit.model;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A node of the shard.
 *
 * <p>What it keeps on disk is its incarnation, its promise with whom it was given to, the number of its life, and
 * whether it has been part of the shard's history. The rest is memory.
 */
final class ModelNode {
    private final int id;
    private final int nodes;
    private final boolean electable;
    private final Rules rules;
    private final Auditor auditor;
    private final List<Message> outbox;

    // Kept
    private int incarnation;
    private long promised = Epochs.NONE;
    private @Nullable Holder holder;
    private int life = 1;
    private boolean begun;

    // Memory
    private Entry log = Entry.EMPTY;
    private int committed;
    private boolean complete;
    private @Nullable Leadership leadership;
    private long following = Epochs.NONE;
    private int syncing;
    private long syncingEpoch = Epochs.NONE;

    ModelNode(
            int id, int nodes, int incarnation, boolean electable, Rules rules, Auditor auditor, List<Message> outbox) {
        this.id = id;
        this.nodes = nodes;
        this.incarnation = incarnation;
        this.electable = electable;
        this.rules = rules;
        this.auditor = auditor;
        this.outbox = outbox;
    }

    int incarnation() {
        return incarnation;
    }

    boolean isComplete() {
        return complete;
    }

    boolean isPrimary() {
        return leadership != null;
    }

    // What happens to it

    /** It comes back with data and promise. */
    void restart() {
        forgetRole();
    }

    /** It comes back with its promise alone. */
    void loseData() {
        forgetRole();
        log = Entry.EMPTY;
        committed = 0;
        complete = false;
        life++;
        if (!rules.on(Rule.KEEP_PROMISES)) {
            promised = Epochs.NONE;
            holder = null;
        }
        if (!rules.on(Rule.KEEP_BEGUN)) {
            begun = false;
        }
    }

    /** It comes back with nothing, and draws another incarnation. */
    void loseEverything(int newIncarnation) {
        loseData();
        incarnation = newIncarnation;
        promised = Epochs.NONE;
        holder = null;
        life = 1;
        begun = false;
    }

    private void forgetRole() {
        leadership = null;
        following = Epochs.NONE;
        syncing = 0;
    }

    // As asked by candidates

    void describe(Message.Describe message) {
        outbox.add(new Message.Described(message.candidate(), message.attempt(), state()));
    }

    void fence(Message.Fence message) {
        boolean refused = false;
        if (message.epoch() > promised || !rules.on(Rule.REFUSE_LOWER_EPOCHS)) {
            promise(message.epoch(), message.holder());
        } else if (message.epoch() < promised) {
            refused = true;
        } else {
            refused = holder == null || !holder.isSameAs(message.holder(), rules);
        }
        outbox.add(new Message.Fenced(message.candidate(), message.epoch(), message.holder(), refused, state()));
    }

    void promote(Message.Promote message) {
        boolean asPromised = rules.on(Rule.PROMOTE_AS_PROMISED)
                ? promised == message.epoch() && holder != null && holder.isSameAs(message.holder(), rules)
                : promised >= message.epoch();
        boolean once = !rules.on(Rule.PROMOTE_ONCE)
                || (leadership == null && following != message.epoch() && log.epoch < message.epoch());
        if (asPromised
                && once
                && complete
                && (incarnation == message.incarnation() || !rules.on(Rule.COUNT_INCARNATIONS))
                && (log.samePosition(message.expected()) || !rules.on(Rule.PROMOTE_AT_POSITION))) {
            lead(message.lossy() ? Entry.beginLossy(log, message.epoch()) : Entry.begin(log, message.epoch()));
        }
    }

    /**
     * Begins the shard, or begins it anew.
     *
     * @param survivors says whether enough of the members of a list are left to go on without a bootstrap
     */
    void begin(Message.Begin message, Predicate<Members> survivors) {
        boolean asPromised = promised == message.epoch()
                && holder != null
                && holder.isSameAs(message.holder(), rules)
                && leadership == null;
        boolean named = message.members().incarnationOf(id) == incarnation || !rules.on(Rule.BEGIN_NAMES_INCARNATION);
        boolean untouched = !begun && log == Entry.EMPTY;
        if (!asPromised || !named || !(untouched || message.dataLost())) {
            return;
        }
        begun = true;
        complete = true;
        Holder given = holder;
        boolean atOnce = rules.on(Rule.BEGIN_NAMES_MEMBERS);
        Entry begin = atOnce
                ? Entry.beginShard(log, message.epoch(), message.members())
                : Entry.beginLossy(log, message.epoch());
        if (!message.dataLost()) {
            Members last = auditor.lastCommitted().members;
            auditor.bootstrapped(id, begin, last != null && survivors.test(last));
        }
        lead(begin);
        if (!atOnce) {
            append(Entry.firstMembers(log, message.epoch(), message.members()));
        }
        holder = rules.on(Rule.BEGIN_USES_PROMISE) ? null : given;
    }

    private void promise(long epoch, @Nullable Holder to) {
        promised = epoch;
        holder = to;
        if (leadership != null && leadership.epoch != epoch) {
            leadership = null;
        }
    }

    private Message.State state() {
        return new Message.State(
                id,
                incarnation,
                promised,
                leadership == null ? Epochs.NONE : leadership.epoch,
                begun,
                complete,
                log,
                committed,
                electable);
    }

    // As a primary

    private void lead(Entry begin) {
        auditor.appended(begin);
        auditor.promoted(id, begin);
        log = begin;
        syncing = 0;
        following = Epochs.NONE;
        leadership = new Leadership(begin, nodes);
        commit();
    }

    void write() {
        if (leadership != null) {
            append(Entry.write(log, leadership.epoch));
        }
    }

    /** Changes the member list, if it may. */
    boolean changeMembers(RandomGenerator random, int spares) {
        Members now = log.members;
        if (leadership == null
                || now == null
                || (rules.on(Rule.ONE_CHANGE_AT_A_TIME) && log.membersOffset > committed)
                || (rules.on(Rule.CHANGE_AFTER_BEGIN) && committed < leadership.begin.offset)) {
            return false;
        }
        Members next = now;
        int changes = 1 + random.nextInt(2);
        int first = random.nextInt(nodes);
        for (int i = 0; i < nodes && changes > 0; i++) {
            Members changed = changed(next, (first + i) % nodes, random, spares);
            if (changed != next) {
                next = changed;
                changes--;
            }
        }
        if (next == now) {
            return false;
        }
        append(Entry.members(log, leadership.epoch, next));
        return true;
    }

    /** Takes a node in under the incarnation that was heard last, adds it, removes it, or has it replace another. */
    private Members changed(Members now, int node, RandomGenerator random, int spares) {
        Leadership.Account account = leadership == null ? null : leadership.latest(node);
        if (node == id || account == null || !account.complete || account.acknowledged < 0) {
            return now;
        }
        if (now.has(node)) {
            boolean same = now.incarnationOf(node) == account.incarnation;
            return !same
                    ? now.with(node, account.incarnation)
                    : now.size() > 1 && random.nextInt(12) == 0 ? now.with(node, Members.NONE) : now;
        }
        int outgoing = random.nextInt(nodes);
        if (random.nextBoolean() && outgoing != id && now.has(outgoing)) {
            return now.with(outgoing, Members.NONE).with(node, account.incarnation);
        }
        return now.size() < nodes - spares || random.nextInt(6) == 0 ? now.with(node, account.incarnation) : now;
    }

    private void append(Entry entry) {
        auditor.appended(entry);
        log = entry;
        commit();
    }

    /**
     * Sends a node what it needs next, by what it has acknowledged.
     *
     * @param parts the percentage of appends that carry a part of the records only
     */
    void feed(int to, int parts, RandomGenerator random) {
        if (leadership == null || to == id) {
            return;
        }
        long epoch = leadership.epoch;
        Leadership.Account account = leadership.latest(to);
        if (account == null) {
            outbox.add(new Message.Append(id, to, epoch, log, log, committed));
        } else if (account.complete && log.hasPosition(account.position)) {
            int ahead = log.offset - account.position.offset; // as if the records before were on their way
            int skipped = random.nextInt(100) < parts ? random.nextInt(ahead + 1) : 0;
            Entry from = log.at(account.position.offset + skipped);
            Entry last = log.at(from.offset + random.nextInt(log.offset - from.offset + 1));
            outbox.add(new Message.Append(id, to, epoch, from, random.nextInt(100) < parts ? last : log, committed));
        } else if (account.sync != 0 && account.firstTaken) {
            outbox.add(
                    new Message.SyncPart(id, to, epoch, account.incarnation, account.life, account.sync, false, log));
        } else {
            account.sync = leadership.nextSync();
            boolean only = random.nextBoolean();
            outbox.add(new Message.SyncPart(
                    id, to, epoch, account.incarnation, account.life, account.sync, true, only ? log : null));
        }
    }

    void acknowledged(Message.Ack ack) {
        if (leadership != null && leadership.epoch == ack.epoch()) {
            leadership.acknowledge(ack, log, rules);
            commit();
        }
    }

    private void commit() {
        Leadership own = leadership;
        if (own == null) {
            return;
        }
        int least = rules.on(Rule.COMMIT_OWN_BEGIN) ? Math.max(committed + 1, own.begin.offset) : committed + 1;
        for (int offset = log.offset; offset >= least; offset = own.acknowledgedAtMost(offset - 1)) {
            int upTo = offset;
            if (log.majority(committed, rules, (node, member) -> holds(own, node, member, upTo))) {
                committed = offset;
                auditor.committed(id, own.epoch, log.at(offset));
                return;
            }
        }
    }

    private boolean holds(Leadership own, int node, int member, int offset) {
        return node == id
                ? member == incarnation || !rules.on(Rule.COUNT_INCARNATIONS)
                : own.holds(node, member, offset, rules);
    }

    // As a replica

    void append(Message.Append message) {
        if (!follows(message.epoch())) {
            return;
        }
        if (complete) {
            boolean fits = log.samePosition(message.previous());
            if (fits || (!rules.on(Rule.APPEND_IN_ORDER) && message.last().isAfter(log))) {
                log = log == message.previous() ? message.last() : spliced(message.previous(), message.last());
            }
            learn(message.committed(), message.epoch());
        }
        acknowledge(message.from());
    }

    /** The records after a position on top of this log, which does not end there. */
    private Entry spliced(Entry previous, Entry entry) {
        if (entry == previous) {
            return log;
        }
        Entry copy = entry.onTopOf(spliced(previous, requireNonNull(entry.before)));
        auditor.appended(copy);
        return copy;
    }

    private void learn(int upTo, long epoch) {
        int known = Math.min(upTo, log.offset);
        if (known > committed && (log.epoch == epoch || !rules.on(Rule.LEARN_IN_EPOCH))) {
            committed = known;
            auditor.learnt(id, log.at(known));
        }
    }

    void sync(Message.SyncPart part) {
        if (!follows(part.epoch())) {
            return;
        }
        boolean meant = part.incarnation() == incarnation && part.life() == life;
        boolean back = log.epoch == part.epoch() && (part.end() == null ? complete : part.end().offset <= log.offset);
        if ((meant || !rules.on(Rule.SYNC_ONE_LIFE)) && !(back && rules.on(Rule.SYNC_NEVER_BACK))) {
            if (part.first()) {
                syncing = part.sync();
                syncingEpoch = part.epoch();
            }
            if (part.end() != null && syncing == part.sync() && syncingEpoch == part.epoch()) {
                syncing = 0;
                complete = true;
                begun = true;
                log = part.end();
                committed = rules.on(Rule.SYNC_FORGETS_COMMITTED) ? 0 : Math.min(committed, log.offset);
            }
        }
        acknowledge(part.from());
    }

    private void acknowledge(int primary) {
        begun |= complete;
        outbox.add(new Message.Ack(id, primary, promised, incarnation, life, log, complete, syncing));
    }

    /** Says whether a message of a primary is to be taken, and follows that primary if it is. */
    private boolean follows(long epoch) {
        boolean own = leadership != null && leadership.epoch == epoch;
        if (own || (epoch < promised && rules.on(Rule.REFUSE_LOWER_EPOCHS))) {
            return false;
        }
        if (epoch != promised) {
            promise(epoch, null);
        }
        if (following != epoch) {
            following = epoch;
            syncing = 0;
        }
        return true;
    }

    @Override
    public String toString() {
        return id + "#" + incarnation + (leadership == null ? "" : " primary")
                + (complete ? " complete" : " incomplete life " + life) + " promised " + Epochs.toString(promised) + " "
                + log + " committed " + committed + " members " + log.members
                + (log.membersOffset > committed ? " and " + log.olderMembers : "");
    }
}
