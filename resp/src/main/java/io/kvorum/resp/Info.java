package io.kvorum.resp;

import io.kvorum.replication.NodeStatus;
import io.kvorum.replication.ReplicaStatus;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Writes what INFO tells of a node: what clients and tools read, in the server's form. */
final class Info {
    /** The version of the server whose answers these are. */
    static final String VERSION = "7.0.15";

    private static final List<String> SECTIONS = List.of(
            "server",
            "clients",
            "memory",
            "persistence",
            "stats",
            "replication",
            "cpu",
            "modules",
            "errorstats",
            "cluster",
            "keyspace");

    private static final Set<String> ALL = Set.of("default", "all", "everything");

    private final StringBuilder text = new StringBuilder();

    private Info() {}

    static String modeOf(Endpoint endpoint) {
        if (endpoint instanceof SentinelEndpoint) {
            return "sentinel";
        }
        return endpoint.cluster().mode() == RespMode.CLUSTER ? "cluster" : "standalone";
    }

    /** {@return sections of a node; the usual ones if none is named} */
    static String of(NodeEndpoint node, List<String> sections) {
        Info info = new Info();
        for (String section : SECTIONS) {
            if (isWanted(section, sections)) {
                info.section(node, section);
            }
        }
        return info.text.toString();
    }

    /** {@return whether a section is among those that were asked for} */
    static boolean isWanted(String section, List<String> asked) {
        return asked.isEmpty() || asked.contains(section) || asked.stream().anyMatch(ALL::contains);
    }

    /** {@return the sections that nodes and sentinels have in common} */
    static String common(Endpoint endpoint, List<String> sections) {
        Info info = new Info();
        for (String section : List.of("server", "clients", "cpu", "stats")) {
            if (isWanted(section, sections)) {
                switch (section) {
                    case "server" -> info.server(endpoint);
                    case "clients" -> info.clients(endpoint);
                    case "cpu" -> info.cpu();
                    default -> info.stats(new SyncCounts());
                }
            }
        }
        return info.text.toString();
    }

    private void section(NodeEndpoint node, String section) {
        switch (section) {
            case "server" -> server(node);
            case "clients" -> clients(node);
            case "memory" -> memory();
            case "persistence" -> persistence();
            case "stats" -> stats(node.syncs());
            case "replication" -> replication(node);
            case "cpu" -> cpu();
            case "modules" -> title("Modules");
            case "errorstats" -> title("Errorstats");
            case "cluster" -> {
                title("Cluster");
                line("cluster_enabled", node.cluster().mode() == RespMode.CLUSTER ? 1 : 0);
            }
            default -> keyspace(node);
        }
    }

    private void title(String title) {
        if (!text.isEmpty()) {
            text.append("\r\n");
        }
        text.append("# ").append(title).append("\r\n");
    }

    private void line(String name, Object value) {
        text.append(name).append(':').append(value).append("\r\n");
    }

    private void server(Endpoint endpoint) {
        title("Server");
        line("redis_version", VERSION);
        line("redis_git_sha1", "00000000");
        line("redis_git_dirty", 0);
        line("redis_build_id", "kvorum");
        line("redis_mode", modeOf(endpoint));
        line("os", System.getProperty("os.name", "") + " " + System.getProperty("os.version", ""));
        line("arch_bits", 64);
        line("process_id", ProcessHandle.current().pid());
        line("run_id", endpoint.runId());
        line("tcp_port", endpoint.port());
        line("uptime_in_seconds", endpoint.uptimeSeconds());
        line("uptime_in_days", endpoint.uptimeSeconds() / 86_400);
        line("hz", 10);
        line("executable", "");
        line("config_file", "");
    }

    private void clients(Endpoint endpoint) {
        title("Clients");
        line("connected_clients", endpoint.connections().size());
        line("cluster_connections", 0);
        line("maxclients", 10_000);
        line("blocked_clients", 0);
        line("tracking_clients", 0);
    }

    private void memory() {
        Runtime runtime = Runtime.getRuntime();
        long used = runtime.totalMemory() - runtime.freeMemory();
        title("Memory");
        line("used_memory", used);
        line("used_memory_human", String.format(Locale.ROOT, "%.2fM", used / 1_048_576.0));
        line("used_memory_rss", runtime.totalMemory());
        line("used_memory_peak", used);
        line("total_system_memory", runtime.maxMemory());
        line("maxmemory", 0);
        line("maxmemory_human", "0B");
        line("maxmemory_policy", "noeviction");
        line("mem_fragmentation_ratio", "1.00");
        line("mem_allocator", "jvm");
    }

    private void persistence() {
        title("Persistence");
        line("loading", 0);
        line("rdb_changes_since_last_save", 0);
        line("rdb_bgsave_in_progress", 0);
        line("rdb_last_bgsave_status", "ok");
        line("aof_enabled", 0);
        line("aof_rewrite_in_progress", 0);
    }

    private void stats(SyncCounts syncs) {
        title("Stats");
        line("total_connections_received", 0);
        line("total_commands_processed", 0);
        line("instantaneous_ops_per_sec", 0);
        line("rejected_connections", 0);
        line("sync_full", syncs.full());
        line("sync_partial_ok", syncs.partial());
        line("sync_partial_err", syncs.refused());
        line("expired_keys", 0);
        line("evicted_keys", 0);
        line("keyspace_hits", 0);
        line("keyspace_misses", 0);
        line("pubsub_channels", 0);
        line("pubsub_patterns", 0);
    }

    private void cpu() {
        title("CPU");
        line("used_cpu_sys", "0.000000");
        line("used_cpu_user", "0.000000");
    }

    private void replication(NodeEndpoint node) {
        title("Replication");
        text.append(replicationOf(node));
    }

    /** {@return the lines of the section on replication} */
    static String replicationOf(NodeEndpoint node) {
        Info info = new Info();
        NodeStatus status = node.status();
        RespCluster cluster = node.cluster();
        long offset = status.position().offset();
        boolean primary = node.isPrimary();
        info.line("role", primary ? "master" : "slave");
        if (!primary) {
            boolean up = status.primary() != null && status.complete() && isUp(node);
            info.line("master_host", cluster.host());
            info.line("master_port", cluster.port(node.primary()));
            info.line("master_link_status", up ? "up" : "down");
            info.line("master_last_io_seconds_ago", up ? 0 : -1);
            info.line("master_sync_in_progress", status.primary() != null && !status.complete() ? 1 : 0);
            info.line("slave_read_repl_offset", offset);
            info.line("slave_repl_offset", offset);
            if (!up) {
                info.line("master_link_down_since_seconds", 0);
            }
            info.line("slave_priority", status.priority());
            info.line("slave_read_only", 1);
            info.line("replica_announced", 1);
        }
        List<ReplicaStatus> replicas =
                status.replicas().stream().filter(ReplicaStatus::connected).toList();
        info.line("connected_slaves", replicas.size());
        for (int i = 0; i < replicas.size(); i++) {
            ReplicaStatus replica = replicas.get(i);
            info.line(
                    "slave" + i,
                    "ip=" + cluster.host() + ",port=" + cluster.port(replica.node()) + ",state="
                            + (replica.complete() ? "online" : "wait_bgsave") + ",offset="
                            + Math.max(replica.acknowledged(), 0) + ",lag=0");
        }
        info.line("master_failover_state", "no-failover");
        info.line(
                "master_replid",
                Text.idOf(status.shard() + " epoch " + status.position().epoch()));
        info.line("master_replid2", "0".repeat(40));
        info.line("master_repl_offset", offset);
        info.line("second_repl_offset", -1);
        info.line("repl_backlog_active", 1);
        info.line("repl_backlog_size", cluster.cluster().settings().logCapacity());
        info.line("repl_backlog_first_byte_offset", 1);
        info.line("repl_backlog_histlen", offset);
        return info.text.toString();
    }

    private static boolean isUp(NodeEndpoint node) {
        Endpoint primary = node.cluster().endpointOrNull(node.primary());
        return primary instanceof NodeEndpoint other && other.node().isRunning();
    }

    private void keyspace(NodeEndpoint node) {
        title("Keyspace");
        long keys = node.node().size();
        if (keys > 0) {
            line("db0", "keys=" + keys + ",expires=0,avg_ttl=0");
        }
    }
}
