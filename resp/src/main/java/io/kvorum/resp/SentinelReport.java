package io.kvorum.resp;

import io.kvorum.failover.SentinelSettings;
import io.kvorum.replication.NodeStatus;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.Shard;
import io.kvorum.testkit.LocalNode;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Describes masters, slaves and sentinels in the fields of Redis Sentinel and in its order. */
final class SentinelReport {
    private final SentinelEndpoint sentinel;
    private final RespCluster cluster;
    private final SentinelSettings settings;
    private final Map<String, String> fields = new LinkedHashMap<>();

    private SentinelReport(SentinelEndpoint sentinel) {
        this.sentinel = sentinel;
        this.cluster = sentinel.cluster();
        this.settings = sentinel.sentinel().settings();
    }

    static Map<String, String> master(SentinelEndpoint sentinel, Shard shard) {
        SentinelReport report = new SentinelReport(sentinel);
        NodeId node = shard.primary();
        StringBuilder flags = new StringBuilder();
        report.addDown(flags, node);
        if (sentinel.agreedDownMillis(node) >= 0) {
            flags.append("o_down,");
        }
        flags.append("master");
        if (sentinel.downMillis(node) >= 0) {
            flags.append(",disconnected");
        }
        if (sentinel.isFailingOver(shard)) {
            flags.append(",failover_in_progress");
        }
        report.addInstance(
                report.cluster.group(shard.id()),
                node,
                report.cluster.endpoint(node).runId(),
                flags.toString());
        report.addReported("master");
        report.put("config-epoch", Epoch.roundOf(shard.epoch()));
        report.put("num-slaves", shard.replicas().size());
        report.put("num-other-sentinels", sentinel.driver().sentinels().size() - 1);
        report.put("quorum", report.settings.quorum());
        report.put("failover-timeout", report.settings.operationTimeout().toMillis());
        report.put("parallel-syncs", report.settings.parallelSyncs());
        return report.fields;
    }

    static Map<String, String> slave(SentinelEndpoint sentinel, Shard shard, NodeId node) {
        SentinelReport report = new SentinelReport(sentinel);
        NodeStatus status = statusOf(report.cluster.cluster().node(node));
        boolean linked = status != null
                && status.complete()
                && shard.primary().equals(status.primary())
                && sentinel.downMillis(shard.primary()) < 0;
        StringBuilder flags = new StringBuilder();
        report.addDown(flags, node);
        flags.append("slave");
        if (sentinel.downMillis(node) >= 0) {
            flags.append(",disconnected");
        }
        report.addInstance(
                report.cluster.endpoint(node).address(),
                node,
                report.cluster.endpoint(node).runId(),
                flags.toString());
        report.addReported("slave");
        report.put("master-link-down-time", 0);
        report.put("master-link-status", linked ? "ok" : "err");
        report.put("master-host", report.cluster.host());
        report.put("master-port", report.cluster.port(shard.primary()));
        report.put("slave-priority", status == null ? 100 : status.priority());
        report.put("slave-repl-offset", status == null ? 0 : status.position().offset());
        report.put("replica-announced", 1);
        return report.fields;
    }

    static Map<String, String> sentinel(SentinelEndpoint sentinel, NodeId other) {
        SentinelReport report = new SentinelReport(sentinel);
        boolean up = report.cluster.endpoint(other).running() != null;
        report.addInstance(
                Text.idOf(other.value()),
                other,
                Text.idOf(other.value()),
                up ? "sentinel" : "s_down,sentinel,disconnected");
        report.put("last-hello-message", 0);
        report.put("voted-leader", "?");
        report.put("voted-leader-epoch", 0);
        return report.fields;
    }

    private static @Nullable NodeStatus statusOf(LocalNode node) {
        try {
            return node.status();
        } catch (IllegalStateException e) { // it does not run
            return null;
        }
    }

    private void addDown(StringBuilder flags, NodeId node) {
        if (sentinel.downMillis(node) >= 0) {
            flags.append("s_down,");
        }
    }

    private void addInstance(String name, NodeId party, String runId, String flags) {
        put("name", name);
        put("ip", cluster.host());
        put("port", cluster.port(party));
        put("runid", runId);
        put("flags", flags);
        put("link-pending-commands", 0);
        put("link-refcount", 1);
        long down = sentinel.downMillis(party);
        long silent = down < 0 ? 0 : down + settings.downAfter().toMillis();
        put("last-ping-sent", silent);
        put("last-ok-ping-reply", silent);
        put("last-ping-reply", silent);
        if (down >= 0) {
            put("s-down-time", down);
        }
        if (sentinel.agreedDownMillis(party) >= 0) {
            put("o-down-time", sentinel.agreedDownMillis(party));
        }
        put("down-after-milliseconds", settings.downAfter().toMillis());
    }

    private void addReported(String role) {
        put("info-refresh", 0);
        put("role-reported", role);
        put("role-reported-time", 0);
    }

    private void put(String name, Object value) {
        fields.put(name, String.valueOf(value));
    }

    /** {@return the section that INFO has of a sentinel} */
    static String info(SentinelEndpoint sentinel) {
        RespCluster cluster = sentinel.cluster();
        StringBuilder text = new StringBuilder("# Sentinel\r\nsentinel_masters:")
                .append(sentinel.shards().size())
                .append("\r\nsentinel_tilt:0\r\nsentinel_tilt_since_seconds:-1\r\nsentinel_running_scripts:0\r\n")
                .append("sentinel_scripts_queue_length:0\r\nsentinel_simulate_failure_flags:0\r\n");
        int number = 0;
        for (Shard shard : sentinel.shards()) {
            NodeId primary = shard.primary();
            String status = sentinel.agreedDownMillis(primary) >= 0
                    ? "odown"
                    : sentinel.downMillis(primary) >= 0 ? "sdown" : "ok";
            text.append("master")
                    .append(number++)
                    .append(":name=")
                    .append(cluster.group(shard.id()))
                    .append(",status=")
                    .append(status)
                    .append(",address=")
                    .append(cluster.endpoint(primary).address())
                    .append(",slaves=")
                    .append(shard.replicas().size())
                    .append(",sentinels=")
                    .append(sentinel.driver().sentinels().size())
                    .append("\r\n");
        }
        return text.toString();
    }
}
