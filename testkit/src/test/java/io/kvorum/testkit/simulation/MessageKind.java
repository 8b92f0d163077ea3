package io.kvorum.testkit.simulation;

import io.kvorum.replication.ReplicationMessage;
import io.kvorum.replication.ReplicationMessage.SnapshotPart;
import java.util.List;

/** The kinds of messages, and of moments, by which faults are aimed. */
enum MessageKind {
    DESCRIBE,
    FENCE,
    PROMOTE,
    FOLLOW,
    PAUSE,
    RESUME,
    BEGIN,
    REPLACE,
    DESCRIBED,
    FENCED,
    PROMOTED,
    FOLLOWED,
    PAUSED,
    RESUMED,
    BEGUN,
    REPLACED,
    PRE_VOTE,
    PRE_VOTE_ANSWER,
    VOTE,
    VOTE_ANSWER,
    OPINIONS,
    HEARTBEAT,
    RECORDS,
    SYNC_PART,
    LAST_SYNC_PART,
    ACK,
    STALE,
    REQUEST,
    REPLY,
    TOPOLOGY,
    /** Not a message: a process has saved its state. */
    SAVED,
    /** Not a message: a primary has begun a full sync. */
    SYNC_BEGUN,
    /** Not a message: a primary was paused for a switchover, as a sentinel learnt. */
    SWITCHOVER_PAUSED;

    private static final List<MessageKind> ALL = List.of(values());
    private static final MessageKind[] LATE = {
        PROMOTE, FENCE, FENCED, VOTE_ANSWER, VOTE, LAST_SYNC_PART, FOLLOW, PROMOTED, RECORDS, OPINIONS, RESUME, ACK
    };
    private static final MessageKind[] PLACES = {
        SYNC_BEGUN, SYNC_PART, LAST_SYNC_PART, FENCE, FENCED, SAVED, PROMOTE, PROMOTED, VOTE_ANSWER, FOLLOWED, PAUSED
    };
    private static final MessageKind[] FAILOVER_STEPS = {FENCE, FENCED, SAVED, PROMOTE, PROMOTED};
    private static final MessageKind[] SYNC_STEPS = {SYNC_BEGUN, SYNC_PART, LAST_SYNC_PART, RECORDS};
    private static final MessageKind[] SWITCHOVER_STEPS = {PAUSE, PAUSED, FENCE, FENCED, PROMOTE, PROMOTED, FOLLOW};

    /** {@return the number by which a fault names a kind} */
    static int number(MessageKind kind) {
        return ALL.indexOf(kind);
    }

    /** {@return the kind of a number} */
    static MessageKind of(int number) {
        return ALL.get(number);
    }

    /** {@return a kind that may be late alone} */
    static MessageKind late(Randomness random) {
        return LATE[random.nextInt(LATE.length)];
    }

    /** {@return a kind at which something may be placed} */
    static MessageKind place(Randomness random) {
        return PLACES[random.nextInt(PLACES.length)];
    }

    /** {@return a moment of a full sync, or just after one} */
    static MessageKind syncStep(Randomness random) {
        return SYNC_STEPS[random.nextInt(SYNC_STEPS.length)];
    }

    /** {@return a step of a failover} */
    static MessageKind failoverStep(Randomness random) {
        return FAILOVER_STEPS[random.nextInt(FAILOVER_STEPS.length)];
    }

    /** {@return a step of a switchover} */
    static MessageKind switchoverStep(Randomness random) {
        return SWITCHOVER_STEPS[random.nextInt(SWITCHOVER_STEPS.length)];
    }

    /** {@return the kind of what one node sends to another} */
    static MessageKind of(ReplicationMessage message) {
        if (message instanceof ReplicationMessage.Heartbeat) {
            return HEARTBEAT;
        } else if (message instanceof ReplicationMessage.Append) {
            return RECORDS;
        } else if (message instanceof SnapshotPart part) {
            return part.end() != null ? LAST_SYNC_PART : SYNC_PART;
        }
        return message instanceof ReplicationMessage.Ack ? ACK : STALE;
    }
}
