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

    /** The committed offset that was told last. */
    private long told = -1;

    /** The feeders are those of the collection at any later moment. */
    Heartbeats(Feed feed, Collection<Feeder> feeders, long now) {
        this.feed = feed;
        this.feeders = feeders;
        this.sentAt = now;
    }

    /** Makes the next heartbeat due at once. */
    void want() {
        wanted = true;
    }

    /** Sends one if it is time. */
    void sendIfDue(long now) {
        if (feeders.isEmpty() || (!wanted && now - dueAt() < 0)) {
            return;
        }
        wanted = false;
        sentAt = now;
        told = feed.committed();
        for (Feeder feeder : feeders) {
            feeder.heartbeat(now);
        }
    }

    /** {@return when the next one is due, by what is known now} */
    long dueAt() {
        return sentAt + (rests() ? feed.settings.restingHeartbeatNanos() : feed.settings.heartbeatNanos());
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
