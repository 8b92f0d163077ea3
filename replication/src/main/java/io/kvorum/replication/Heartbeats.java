package io.kvorum.replication;

import java.util.Collection;

/**
 * When a primary tells its replicas that it is there: in each heartbeat interval while there is anything that they may
 * lack, and less often while they have everything, know what is committed, and have answered the last time.
 */
final class Heartbeats {
    private final Feed feed;
    private final Collection<Feeder> feeders;
    private boolean wanted = true;
    private long sentAt;

    /** The committed offset that was told last. */
    private long told = -1;

    /** Begins, with all feeders that there are at any later moment. */
    Heartbeats(Feed feed, Collection<Feeder> feeders, long now) {
        this.feed = feed;
        this.feeders = feeders;
        this.sentAt = now;
    }

    /** Has the next heartbeat be sent with the next work. */
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
