package io.kvorum.replication;

import java.util.Collection;

/**
 * The schedule of a primary's heartbeats: one in each interval while there is anything that the replicas may lack, and
 * fewer while they have everything, know what is committed, and have answered the last one.
 */
final class Heartbeats {
    private final Feed feed;
    private final Collection<Feeder> feeders;
    private boolean wanted = true;
    private long sentAt;

    /**
     * Whether the replicas lacked nothing when that was last looked at, and when they were first seen to lack
     * something.
     */
    private boolean rested;

    private long leftAt;

    /** The committed offset that was told last. */
    private long told = -1;

    /** The feeders are those of the collection at any later moment. */
    Heartbeats(Feed feed, Collection<Feeder> feeders, long now) {
        this.feed = feed;
        this.feeders = feeders;
        this.sentAt = now;
        this.leftAt = now;
    }

    /** Makes the next heartbeat due at once. */
    void want() {
        wanted = true;
    }

    /**
     * Sends one if it is time. What ends a rest is told by what it sends; the heartbeat that looks after it comes an
     * interval later, or when it would have come at rest.
     */
    void sendIfDue(long now) {
        boolean rests = rests();
        leftAt = rested && !rests ? now : leftAt;
        rested = rests;
        if (feeders.isEmpty() || (!wanted && now - dueAt() < 0)) {
            return;
        }
        wanted = false;
        rested = false;
        sentAt = now;
        told = feed.committed();
        for (Feeder feeder : feeders) {
            feeder.heartbeat(now);
        }
    }

    /** {@return when the next one is due, by what is known now} */
    long dueAt() {
        long atRest = sentAt + feed.settings.restingHeartbeatNanos();
        long soon = (leftAt - sentAt > 0 ? leftAt : sentAt) + feed.settings.heartbeatNanos();
        return soon - atRest < 0 && !rests() ? soon : atRest;
    }

    private boolean rests() {
        if (told != feed.committed()) {
            return false;
        }
        for (Feeder feeder : feeders) {
            if (!feeder.rests()) {
                return false;
            }
        }
        return true;
    }
}
