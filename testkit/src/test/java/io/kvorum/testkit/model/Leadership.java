package io.kvorum.testkit.model;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a primary holds in an epoch: the record that began it, and what each downstream has acknowledged. */
final class Leadership {
    /** What one incarnation of a node has acknowledged in this epoch. */
    static final class Account {
        final int node;
        final int incarnation;
        int life;
        int acknowledged = -1;
        Entry position = Entry.EMPTY;
        boolean complete;
        /** The full sync that is under way, 0 if none. */
        int sync;
        /** Whether the first part of it has arrived. */
        boolean firstTaken;

        private Account(int node, int incarnation, int life) {
            this.node = node;
            this.incarnation = incarnation;
            this.life = life;
        }
    }

    final long epoch;
    final Entry begin;
    private final List<Account> accounts = new ArrayList<>();
    private final @Nullable Account[] latest;
    private int syncs;

    Leadership(Entry begin, int nodes) {
        epoch = begin.epoch;
        this.begin = begin;
        latest = new Account[nodes];
    }

    /** The account of the incarnation that was heard last. */
    @Nullable
    Account latest(int node) {
        return latest[node];
    }

    void acknowledge(Message.Ack ack, Entry log, Rules rules) {
        Account account = account(ack.from(), ack.incarnation(), ack.life());
        if (rules.on(Rule.ACK_ONE_LIFE)) {
            if (ack.life() < account.life) {
                return;
            }
            if (ack.life() > account.life) {
                account.life = ack.life();
                account.acknowledged = -1;
                account.sync = 0;
            }
        } else {
            account.life = Math.max(account.life, ack.life());
        }
        latest[ack.from()] = account;
        account.position = ack.position();
        account.complete = ack.complete();
        account.firstTaken = ack.sync() != 0 && ack.sync() == account.sync;
        if (ack.complete() && (!rules.on(Rule.ACK_IN_HISTORY) || log.hasPosition(ack.position()))) {
            account.acknowledged = Math.max(account.acknowledged, ack.position().offset);
        }
    }

    boolean holds(int node, int incarnation, int offset, Rules rules) {
        for (Account account : accounts) {
            if (account.node == node
                    && account.acknowledged >= offset
                    && (account.incarnation == incarnation || !rules.on(Rule.COUNT_INCARNATIONS))) {
                return true;
            }
        }
        return false;
    }

    /** The greatest acknowledged offset that is at most the given one, -1 if there is none. */
    int acknowledgedAtMost(int offset) {
        int greatest = -1;
        for (Account account : accounts) {
            if (account.acknowledged <= offset) {
                greatest = Math.max(greatest, account.acknowledged);
            }
        }
        return greatest;
    }

    int nextSync() {
        return ++syncs;
    }

    private Account account(int node, int incarnation, int life) {
        for (Account account : accounts) {
            if (account.node == node && account.incarnation == incarnation) {
                return account;
            }
        }
        Account account = new Account(node, incarnation, life);
        accounts.add(account);
        return account;
    }
}
