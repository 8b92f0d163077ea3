package io.kvorum.redis.worlds;

import java.util.Collection;
import java.util.List;

/** A world whose parties are those of a {@link LocalParties}. */
interface LocalWorld extends World {
    LocalParties parties();

    @Override
    default List<String> nodes() {
        return parties().nodes;
    }

    @Override
    default List<String> sentinels() {
        return parties().sentinels;
    }

    @Override
    default void crash(String party) {
        parties().crash(party);
    }

    @Override
    default void restart(String party) {
        parties().restart(party);
    }

    /** A node of Kvorum goes by its id, so where it is makes no difference. */
    @Override
    default void restartElsewhere(String node) {
        restart(node);
    }

    @Override
    default void fillDisk(String node) {
        parties().node(node).fillDisk();
    }

    @Override
    default void freeDisk(String node) {
        parties().node(node).freeDisk();
    }

    @Override
    default void cut(Collection<String> some, Collection<String> others) {
        parties().cut(some, others);
    }

    @Override
    default void heal() {
        parties().cluster.heal();
    }

    @Override
    default void crashNextLeader() {
        parties().crashNextLeader();
    }

    @Override
    default boolean leads(String node) {
        return parties().leads(node);
    }

    @Override
    default boolean inSync(String node, String primary) {
        return parties().inSync(node, primary);
    }

    @Override
    default long fullSyncs() {
        return parties().fullSyncs();
    }
}
