package io.kvorum.replication;

import io.kvorum.replication.ReplicationMessage.Ack;

/** What a feeder knows of one life of its node. */
final class Heard {
    final long incarnation;
    final long life;

    /** The newest message when the node was first heard in this life. */
    final long since;

    /** The number of the newest message that it answered. Older answers were overtaken and say nothing new. */
    long sequence;

    long at;

    /** Since when it has answered without a pause that would count as silence. */
    long connectedAt;

    boolean complete;

    /** The greatest offset at which it was known to have the same log as the primary; -1 at first. */
    long acknowledged = -1;

    /** The newest message when {@link #acknowledged} last grew: answers to later ones were given after that. */
    long grownAfter;

    /** When it last acknowledged more, or everything. */
    long progressAt;

    /** Whether it lacks records, and if so since when, as far as the primary's steps have seen. */
    boolean lacks;

    long lacksSince;

    /** The newest full sync that was begun for it; 0 before the first. */
    long lastSync;

    /** How often in a row it could not be fed. */
    int failures;

    boolean caughtUp;

    /** If {@link #caughtUp}: a time at which it lacked nothing. */
    long caughtUpAt;

    Heard(Ack ack, long since, long now) {
        this.incarnation = ack.incarnation();
        this.life = ack.life();
        this.since = since;
        this.progressAt = now;
        this.at = now;
        this.connectedAt = now;
    }

    /** Its time for the first record that it lacks begins now, however long it has had everything. */
    void noteLack(boolean any, long now) {
        lacksSince = any && !lacks ? now : lacksSince;
        lacks = any;
    }
}
