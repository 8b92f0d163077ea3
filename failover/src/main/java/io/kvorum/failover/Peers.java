package io.kvorum.failover;

import io.kvorum.failover.SentinelMessage.Opinion;
import io.kvorum.slots.topology.NodeId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The latest opinions of the other sentinels about one shard. An opinion counts for a few periods. */
final class Peers {
    private record Said(Opinion opinion, long at) {}

    private final long life;
    private final Map<NodeId, Said> said = new LinkedHashMap<>();

    Peers(SentinelSettings settings) {
        life = settings.opinionLife().toNanos();
    }

    void heard(NodeId from, Opinion opinion, long now) {
        said.put(from, new Said(opinion, now));
    }

    /** {@return whether a sentinel, by what it said last, holds nobody down} */
    boolean isCalm(NodeId sentinel) {
        Said last = said.get(sentinel);
        return last == null || !last.opinion.subjectivelyDown();
    }

    /** {@return the sentinels that hold this very primary down, by what they said lately} */
    List<NodeId> agreeing(ShardPrimary primary, long now) {
        List<NodeId> agreeing = List.of();
        for (Map.Entry<NodeId, Said> entry : said.entrySet()) {
            Said each = entry.getValue();
            if (each.opinion.subjectivelyDown()
                    && now - each.at < life
                    && each.opinion.primary().equals(primary)) {
                agreeing = agreeing.isEmpty() ? new ArrayList<>() : agreeing;
                agreeing.add(entry.getKey());
            }
        }
        return agreeing;
    }

    /** {@return the earlier of {@code due} and the moment when the next accusation lapses} */
    long dueBy(long due, long now) {
        for (Said each : said.values()) {
            if (each.opinion.subjectivelyDown() && now - each.at < life) {
                due = ShardContext.earlier(due, each.at + life);
            }
        }
        return due;
    }
}
