package io.kvorum.failover;

import io.kvorum.failover.SentinelMessage.Opinion;
import io.kvorum.slots.topology.NodeId;
import java.util.LinkedHashMap;
import java.util.Map;

/** What the other sentinels last said about one shard. */
final class Peers {
    private record Said(Opinion opinion, long at) {}

    private final long freshFor;
    private final Map<NodeId, Said> said = new LinkedHashMap<>();

    Peers(SentinelSettings settings) {
        freshFor = 5 * settings.askPeriod().toNanos();
    }

    void heard(NodeId from, Opinion opinion, long now) {
        said.put(from, new Said(opinion, now));
    }

    /** {@return how many of them hold the primary of this very configuration down, by what they said lately} */
    int agreeing(Configuration configuration, long now) {
        int agreeing = 0;
        for (Said each : said.values()) {
            if (now - each.at < freshFor
                    && each.opinion.subjectivelyDown()
                    && each.opinion.configuration().equals(configuration)) {
                agreeing++;
            }
        }
        return agreeing;
    }
}
