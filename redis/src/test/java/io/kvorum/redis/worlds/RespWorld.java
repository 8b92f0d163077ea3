package io.kvorum.redis.worlds;

import io.kvorum.resp.RespCluster;
import io.kvorum.resp.RespMode;
import io.kvorum.testkit.LocalCluster;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** Kvorum in real time, behind the ports of a {@link RespCluster}. */
final class RespWorld implements LocalWorld {
    private static final Duration DOWN_AFTER = Duration.ofSeconds(1);

    private final boolean inCluster;
    private final LocalParties parties;
    private final RespCluster resp;
    private final Ports ports;

    private RespWorld(Setup setup, LocalParties parties, RespCluster resp) {
        inCluster = setup.inCluster();
        this.parties = parties;
        this.resp = resp;
        ports = new Ports(setup.password(), false);
        parties.nodes.forEach(this::add);
        if (!inCluster) {
            parties.sentinels.forEach(this::add);
        }
    }

    private void add(String party) {
        int port = resp.port(parties.id(party));
        ports.add(party, new InetSocketAddress(InetAddress.getLoopbackAddress(), port), "127.0.0.1:" + port);
    }

    /** Starts one. */
    static RespWorld start(Setup setup) {
        LocalParties parties = new LocalParties(setup, DOWN_AFTER, LocalCluster.builder());
        RespWorld world;
        try {
            RespCluster resp = RespCluster.builder(parties.cluster)
                    .mode(setup.inCluster() ? RespMode.CLUSTER : RespMode.SENTINEL)
                    .password(setup.password())
                    .acknowledgement(LocalParties.level(setup))
                    .groupNames(shard -> Ports.GROUP)
                    .start();
            world = new RespWorld(setup, parties, resp);
        } catch (RuntimeException | Error e) {
            parties.close();
            throw e;
        }
        try {
            if (!world.inCluster) {
                parties.sentinels.forEach(world.ports::listen);
            }
            return world;
        } catch (RuntimeException | Error e) {
            world.close();
            throw e;
        }
    }

    @Override
    public LocalParties parties() {
        return parties;
    }

    /** Sentinels of a cluster have no ports. */
    @Override
    public List<String> observers() {
        return inCluster ? nodes() : sentinels();
    }

    @Override
    public List<String> ask(String party, List<String> commands) {
        return ports.ask(party, commands);
    }

    @Override
    public void restart(String party) {
        parties.restart(party);
        if (!inCluster && !LocalParties.isNode(party)) {
            ports.listen(party);
        }
    }

    @Override
    public void pause(String party) {
        resp.pause(parties.id(party));
    }

    @Override
    public void resume(String party) {
        resp.resume(parties.id(party));
    }

    @Override
    public @Nullable String primaryBy(String observer) {
        return ports.primaryBy(observer);
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
        parties.close();
    }
}
