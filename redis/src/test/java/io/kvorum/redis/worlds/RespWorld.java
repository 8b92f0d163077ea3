package io.kvorum.redis.worlds;

import io.kvorum.resp.RespCluster;
import io.kvorum.resp.RespMode;
import io.kvorum.testkit.LocalCluster;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Kvorum in real time, behind the ports of a {@link RespCluster}. */
final class RespWorld implements World {
    private static final Duration DOWN_AFTER = Duration.ofSeconds(1);

    private final LocalParties parties;
    private final RespCluster resp;
    private final Ports ports;

    RespWorld(Setup setup) {
        parties = new LocalParties(setup, DOWN_AFTER, LocalCluster.builder());
        resp = RespCluster.builder(parties.cluster)
                .mode(RespMode.SENTINEL)
                .password(setup.password())
                .acknowledgement(LocalParties.level(setup))
                .groupNames(shard -> Ports.GROUP)
                .start();
        ports = new Ports(setup.password(), false);
        Stream.concat(parties.nodes.stream(), parties.sentinels.stream()).forEach(party -> {
            int port = resp.port(LocalParties.id(party));
            ports.add(party, new InetSocketAddress(InetAddress.getLoopbackAddress(), port), "127.0.0.1:" + port);
        });
        parties.sentinels.forEach(ports::listen);
    }

    @Override
    public List<String> nodes() {
        return parties.nodes;
    }

    @Override
    public List<String> sentinels() {
        return parties.sentinels;
    }

    @Override
    public List<String> ask(String party, List<String> commands) {
        return ports.ask(party, commands);
    }

    @Override
    public void crash(String party) {
        parties.crash(party);
    }

    @Override
    public void restart(String party) {
        parties.restart(party);
        if (!LocalParties.isNode(party)) {
            ports.listen(party);
        }
    }

    @Override
    public void pause(String party) {
        resp.pause(LocalParties.id(party));
    }

    @Override
    public void resume(String party) {
        resp.resume(LocalParties.id(party));
    }

    @Override
    public void cut(Collection<String> some, Collection<String> others) {
        parties.cut(some, others);
    }

    @Override
    public void heal() {
        parties.cluster.heal();
    }

    @Override
    public void crashNextLeader() {
        parties.crashNextLeader();
    }

    @Override
    public @Nullable String primaryBy(String sentinel) {
        return ports.primaryBy(sentinel);
    }

    @Override
    public boolean leads(String node) {
        return parties.leads(node);
    }

    @Override
    public boolean inSync(String node, String primary) {
        return parties.inSync(node, primary);
    }

    @Override
    public long fullSyncs() {
        return parties.fullSyncs();
    }

    @Override
    public List<Told> told() {
        return ports.told();
    }

    @Override
    public boolean await(BooleanSupplier condition, Duration limit) {
        return Ports.await(condition, limit);
    }

    @Override
    public Duration limit() {
        return Duration.ofSeconds(20);
    }

    @Override
    public void close() {
        ports.close();
        resp.close();
        parties.cluster.close();
    }
}
