package io.kvorum.redis.worlds;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A group of nodes and the sentinels that watch it, or a cluster, on which a scenario can be played. Nodes are called
 * {@code A}, {@code B} and so on, of which {@code A} is the first primary; sentinels {@code s1}, {@code s2} and so on.
 * In a cluster the first nodes are those of the first shard, and so on; the primary is that of the first shard. A node
 * that is mentioned in an answer is written as {@link #mention} does.
 *
 * <p>Confined to one thread.
 */
interface World extends AutoCloseable {
    /** The answer of a party that takes no connection. */
    String NO_CONNECTION = "no connection";

    /** The answer of a party that takes a connection and says nothing. */
    String NO_ANSWER = "no answer";

    /** The answer of a party that ends its connections instead. */
    String CLOSED = "closed";

    /** {@return how a node is written in an answer} */
    static String mention(String node) {
        return "<" + node + ">";
    }

    /** {@return all nodes} */
    List<String> nodes();

    /** {@return all sentinels} */
    List<String> sentinels();

    /** {@return the parties that say who is the primary} */
    default List<String> observers() {
        return sentinels();
    }

    /**
     * {@return the answers to some commands, over one connection}
     *
     * @param party a node or a sentinel
     * @param commands what {@link Player} lists
     */
    List<String> ask(String party, List<String> commands);

    /** Ends a party at once. */
    void crash(String party);

    /** Starts a crashed party again. */
    void restart(String party);

    /** Starts a crashed node again, where the others have not known it before. */
    void restartElsewhere(String node);

    /** Has a node be able to save nothing from now on. */
    void fillDisk(String node);

    /** Ends {@link #fillDisk}. */
    void freeDisk(String node);

    /** Stops a party without ending it. */
    void pause(String party);

    /** Lets a paused party go on. */
    void resume(String party);

    /** Has what some parties send to some others not arrive, in both directions. Clients reach all of them. */
    void cut(Collection<String> some, Collection<String> others);

    /** Ends all cuts. */
    void heal();

    /** Has the sentinel that is elected next end before it does anything more. */
    void crashNextLeader();

    /** {@return the node that an observer says is the primary, or null if it gives no answer} */
    @Nullable
    String primaryBy(String observer);

    /** {@return whether a node is a primary and takes writes} */
    boolean leads(String node);

    /** {@return whether a node is a replica of the primary and has all that this has} */
    boolean inSync(String node, String primary);

    /** {@return how many full syncs there have been so far} */
    long fullSyncs();

    /** {@return what the sentinels have told so far, in order of time} */
    List<Told> told();

    /** {@return whether a condition comes to hold within a limit} */
    boolean await(BooleanSupplier condition, Duration limit);

    /** {@return how long a change may take to come about} */
    Duration limit();

    /** Ends it all. */
    @Override
    void close();

    /**
     * An event of a sentinel.
     *
     * @param sentinel the sentinel
     * @param event the name of the event; of those that tell who is down, with the word master, slave or sentinel
     * @param text what it tells, with each address {@linkplain #mention as a name}; empty where events have no text
     */
    record Told(String sentinel, String event, String text) {}
}
