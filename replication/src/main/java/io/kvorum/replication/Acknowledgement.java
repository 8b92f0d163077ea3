package io.kvorum.replication;

/**
 * How many nodes of the shard must hold a write before it is reported as done.
 *
 * <p>Immutable.
 */
public final class Acknowledgement {
    /** The primary alone, as Redis does: fast, and lost if the primary fails before a replica has the write. */
    public static final Acknowledgement LOCAL = new Acknowledgement(0);

    /**
     * A majority of the shard's nodes, the primary among them. Such a write survives every failover, as long as fewer
     * than a majority of the nodes lose their data at once.
     */
    public static final Acknowledgement MAJORITY = new Acknowledgement(-1);

    private final int replicas;

    private Acknowledgement(int replicas) {
        this.replicas = replicas;
    }

    /**
     * {@return the level at which a number of replicas hold the write}
     *
     * <p>What Redis's {@code WAIT} counts. Unless the number makes a majority, such a write can be lost in a failover.
     *
     * @param count the number of replicas; at least 1
     * @throws IllegalArgumentException if {@code count} is less than 1
     */
    public static Acknowledgement replicas(int count) {
        if (count < 1) {
            throw new IllegalArgumentException("count must be at least 1: " + count);
        }
        return new Acknowledgement(count);
    }

    /** {@return how many replicas, beside the primary, must hold the write; -1 for {@link #MAJORITY}} */
    int replicas() {
        return replicas;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Acknowledgement that && replicas == that.replicas;
    }

    @Override
    public int hashCode() {
        return replicas;
    }

    @Override
    public String toString() {
        return switch (replicas) {
            case 0 -> "LOCAL";
            case -1 -> "MAJORITY";
            default -> "replicas(" + replicas + ")";
        };
    }
}
