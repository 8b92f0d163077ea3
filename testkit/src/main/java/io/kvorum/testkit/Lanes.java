package io.kvorum.testkit;

import io.kvorum.failover.SentinelFact;
import io.kvorum.replication.ReplicationEvent;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.Shard;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A timeline laid out: what each party was and when, for the page that draws it. Confined to one thread. */
final class Lanes {
    /** What a node is for a while; a sentinel runs or is down. */
    private enum Role {
        PRIMARY,
        REPLICA,
        INCOMPLETE,
        RUNNING,
        DOWN
    }

    private record Span(double from, double to, String kind, String text) {}

    private record Tick(double at, String text) {}

    private record Arrow(double at, String from, String to, String text) {}

    private static final class Lane {
        final String id;
        final String group;
        final List<Span> roles = new ArrayList<>();
        final List<Span> faults = new ArrayList<>();
        final List<Tick> epochs = new ArrayList<>();
        final Map<String, Tick> open = new LinkedHashMap<>();
        Role role;
        double since;

        Lane(String id, String group, Role role, double since) {
            this.id = id;
            this.group = group;
            this.role = role;
            this.since = since;
        }

        void become(Role next, double at) {
            if (next != role) {
                roles.add(new Span(since, at, role.name(), ""));
                role = next;
                since = at;
            }
        }

        void begin(String kind, String text, double at) {
            open.putIfAbsent(kind, new Tick(at, text));
        }

        void end(String kind, double at) {
            Tick begun = open.remove(kind);
            if (begun != null) {
                faults.add(new Span(begun.at, at, kind, begun.text));
            }
        }

        void finish(double at) {
            roles.add(new Span(since, at, role.name(), ""));
            List.copyOf(open.keySet()).forEach(kind -> end(kind, at));
        }
    }

    private final Map<String, Lane> lanes = new LinkedHashMap<>();
    private final List<Arrow> arrows = new ArrayList<>();
    private final List<ClusterEvent> events;
    private final double first;
    private final double last;

    Lanes(ClusterTopology initial, List<NodeId> sentinels, List<ClusterEvent> events, long end) {
        this.events = events;
        last = end / 1e9;
        first = events.isEmpty() ? last : seconds(events.get(0));
        for (Shard shard : initial.shards()) {
            for (NodeId node : shard.nodes()) {
                lanes.put(node.value(), new Lane(node.value(), shard.id().value(), Role.INCOMPLETE, first));
            }
        }
        for (NodeId sentinel : sentinels) {
            lanes.put(sentinel.value(), new Lane(sentinel.value(), "sentinels", Role.RUNNING, first));
        }
        events.forEach(this::take);
        lanes.values().forEach(lane -> lane.finish(last));
    }

    private static double seconds(ClusterEvent event) {
        return event.at() / 1e9;
    }

    private @Nullable Lane lane(NodeId party) {
        return lanes.get(party.value());
    }

    private void take(ClusterEvent event) {
        double at = seconds(event);
        if (event instanceof ClusterEvent.OfNode node) {
            Lane lane = lane(node.event().node());
            if (lane != null) {
                take(node.event(), lane, at);
            }
        } else if (event instanceof ClusterEvent.OfSentinel sentinel) {
            take(sentinel.event().fact(), sentinel.event().sentinel().value(), at);
        } else if (event instanceof ClusterEvent.Fault fault) {
            take(fault, at);
        }
    }

    private static void take(ReplicationEvent event, Lane lane, double at) {
        if (event instanceof ReplicationEvent.Promoted promoted) {
            lane.become(Role.PRIMARY, at);
            lane.epochs.add(new Tick(at, Epoch.toString(promoted.epoch())));
        } else if (event instanceof ReplicationEvent.Deposed || event instanceof ReplicationEvent.FullSyncCompleted) {
            lane.become(Role.REPLICA, at);
        }
    }

    private void take(SentinelFact fact, String sentinel, double at) {
        if (fact instanceof SentinelFact.NodeFenced fenced) {
            arrows.add(new Arrow(at, fenced.node().value(), sentinel, "promised " + Epoch.toString(fenced.epoch())));
        } else if (fact instanceof SentinelFact.NodePromoted promoted) {
            arrows.add(new Arrow(
                    at, promoted.node().value(), sentinel, "promoted in " + Epoch.toString(promoted.epoch())));
        } else if (fact instanceof SentinelFact.FollowSent follow) {
            arrows.add(new Arrow(at, sentinel, follow.node().value(), "follow " + follow.primary()));
        } else if (fact instanceof SentinelFact.VoteGiven vote
                && !vote.candidate().value().equals(sentinel)) {
            arrows.add(new Arrow(at, sentinel, vote.candidate().value(), "vote"));
        }
    }

    private void take(ClusterEvent.Fault fault, double at) {
        for (NodeId party : fault.parties()) {
            Lane lane = lane(party);
            if (lane == null) {
                continue;
            }
            switch (fault.kind()) {
                case CRASH -> {
                    lane.become(Role.DOWN, at);
                    lane.end("PAUSE", at);
                    lane.end("SLOW_STEPS", at);
                }
                case RESTART -> lane.become(lane.group.equals("sentinels") ? Role.RUNNING : Role.INCOMPLETE, at);
                case RESUME -> lane.end("PAUSE", at);
                case DISK_FREE -> lane.end("DISK_FULL", at);
                case PAUSE, SLOW_STEPS, CUT, NETWORK, DISK_FULL ->
                    lane.begin(fault.kind().name(), fault.detail(), at);
                case CLOCK_JUMP -> lane.epochs.add(new Tick(at, "clock " + fault.detail()));
                case HEAL -> {}
            }
        }
        if (fault.kind() == ClusterEvent.Fault.Kind.HEAL) {
            for (Lane lane : lanes.values()) {
                lane.end("CUT", at);
                lane.end("NETWORK", at);
            }
        }
    }

    // ---- JSON

    String toJson(String title, @Nullable String failure) {
        StringBuilder json = new StringBuilder("{\"title\":");
        EventText.appendString(json, title);
        json.append(",\"failure\":");
        if (failure == null) {
            json.append("null");
        } else {
            EventText.appendString(json, failure);
        }
        json.append(",\"from\":").append(first).append(",\"to\":").append(last);
        json.append(",\"lanes\":[");
        String separator = "";
        for (Lane lane : lanes.values()) {
            json.append(separator).append("{\"id\":");
            EventText.appendString(json, lane.id);
            json.append(",\"group\":");
            EventText.appendString(json, lane.group);
            json.append(",\"roles\":");
            appendSpans(json, lane.roles);
            json.append(",\"faults\":");
            appendSpans(json, lane.faults);
            json.append(",\"epochs\":[");
            for (int i = 0; i < lane.epochs.size(); i++) {
                json.append(i == 0 ? "{\"at\":" : ",{\"at\":")
                        .append(lane.epochs.get(i).at)
                        .append(",\"text\":");
                EventText.appendString(json, lane.epochs.get(i).text);
                json.append('}');
            }
            json.append("]}");
            separator = ",";
        }
        json.append("],\"arrows\":[");
        separator = "";
        for (Arrow arrow : arrows) {
            json.append(separator).append("{\"at\":").append(arrow.at).append(",\"from\":");
            EventText.appendString(json, arrow.from);
            json.append(",\"to\":");
            EventText.appendString(json, arrow.to);
            json.append(",\"text\":");
            EventText.appendString(json, arrow.text);
            json.append('}');
            separator = ",";
        }
        json.append("],\"events\":[");
        separator = "";
        for (ClusterEvent event : events) {
            json.append(separator);
            EventText.of(event).appendJson(json);
            separator = ",\n";
        }
        return json.append("]}").toString();
    }

    private static void appendSpans(StringBuilder json, List<Span> spans) {
        json.append('[');
        String separator = "";
        for (Span span : spans) {
            json.append(separator)
                    .append("{\"from\":")
                    .append(span.from)
                    .append(",\"to\":")
                    .append(span.to)
                    .append(",\"kind\":\"")
                    .append(span.kind)
                    .append("\",\"text\":");
            EventText.appendString(json, span.text);
            json.append('}');
            separator = ",";
        }
        json.append(']');
    }
}
