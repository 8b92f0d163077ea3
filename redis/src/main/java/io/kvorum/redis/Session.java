package io.kvorum.redis;

import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.slots.topology.RefusedException;
import io.lettuce.core.TransactionResult;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/** A connection that one transaction has for itself. Confined to one thread. */
final class Session {
    private final StatefulRedisConnection<byte[], byte[]> connection;
    private final Place place;
    private final int slot;
    private final RedisAsyncCommands<byte[], byte[]> commands;
    private final boolean asking;
    private final int begun;
    private @Nullable Throwable failure;
    private boolean watches;

    /**
     * Begins one.
     *
     * @param asking whether keys of the slot are on their way to that place
     * @param begun how often places had been left before
     */
    Session(StatefulRedisConnection<byte[], byte[]> connection, Place place, int slot, boolean asking, int begun) {
        this.connection = connection;
        this.place = place;
        this.slot = slot;
        this.asking = asking;
        this.begun = begun;
        this.commands = asking ? new AskingCommands(connection) : connection.async();
    }

    Place place() {
        return place;
    }

    StatefulRedisConnection<byte[], byte[]> connection() {
        return connection;
    }

    int begun() {
        return begun;
    }

    RedisAsyncCommands<byte[], byte[]> commands() {
        return commands;
    }

    /** Returns whether the connection is good for another session. */
    boolean isWhole() {
        return failure == null && connection.isOpen();
    }

    /** Returns whether a command failed because the slot is at another server. */
    boolean hasMoved() {
        return failure != null
                && (Failures.isMoved(failure)
                        || (failure instanceof RefusedException refusal
                                && refusal.kind() == RefusedException.Kind.MOVED));
    }

    /** Returns whether a command failed because the server is no primary any more. */
    boolean isReadOnly() {
        return failure != null && Failures.isReadOnly(failure);
    }

    /**
     * Returns where the server sends those who ask for the key that a command failed for, or null if that is not why.
     */
    @Nullable
    Place asked() {
        return failure == null ? null : Failures.asked(failure, place);
    }

    /**
     * Throws unless a key is here: before the end of a slot's move a key that is not here may be at the server that the
     * slot comes from.
     *
     * @param connections tell whether it is there
     */
    void requireHere(byte[] key, Connections connections) {
        if (!asking) {
            return;
        }
        try {
            if (!place.equals(connections.whereTo(slot, key))) {
                throw Failures.refused(
                        RefusedException.Kind.MOVING, "keys of a transaction are at two servers", slot, place);
            }
        } catch (RefusedException e) {
            failure = e;
            throw e;
        }
    }

    /** Throws if a command failed, whatever became of that. */
    void requireWhole() {
        if (failure != null) {
            throw fail(failure, false);
        }
    }

    /** Throws if the connection was lost before anything was changed. */
    void requireOpen() {
        if (!connection.isOpen()) {
            failure = new IllegalStateException("connection lost");
            throw Failures.ofConnection(failure, slot, place);
        }
    }

    /** Watches a key until the end of the session or of a MULTI block. */
    CompletionStage<String> watch(byte[] key) {
        watches = true;
        return commands().watch(key);
    }

    /** Says that nothing is watched any more, as after EXEC. */
    void watchesNothing() {
        watches = false;
    }

    /** Leaves nothing behind on the connection. */
    void end() {
        if (watches) {
            var unused = commands().unwatch();
            watches = false;
        }
    }

    /** Waits for the result of a command that changes nothing. */
    <R extends @Nullable Object> R read(CompletionStage<R> command) {
        return await(command, false);
    }

    /** Waits for the result of a command that may have changed something if it is not answered. */
    <R extends @Nullable Object> R changed(CompletionStage<R> command) {
        return await(command, true);
    }

    /**
     * Waits for the end of a MULTI block. If the server did not take a command of it, or a command failed, that says
     * why.
     *
     * @return whether the block was carried out, as no watched key was changed
     */
    boolean exec(CompletionStage<TransactionResult> end, List<? extends CompletionStage<?>> commands, boolean writes) {
        TransactionResult result;
        try {
            result = await(end, writes);
        } catch (IllegalStateException e) {
            for (CompletionStage<?> command : commands) {
                if (command.toCompletableFuture().isCompletedExceptionally()) {
                    await(command, writes);
                }
            }
            throw e;
        }
        List<Throwable> failures = result.stream()
                .filter(Throwable.class::isInstance)
                .map(Throwable.class::cast)
                .toList();
        if (failures.isEmpty()) {
            return !result.wasDiscarded();
        }
        RuntimeException refusal = fail(failures.get(0), writes);
        if (failures.size() == result.size()) { // nothing was done
            throw refusal;
        }
        throw new IllegalStateException(
                "the server carried out only a part of a transaction: "
                        + failures.get(0).getMessage(),
                failures.get(0));
    }

    private <R extends @Nullable Object> R await(CompletionStage<R> command, boolean writes) {
        try {
            return command.toCompletableFuture().get();
        } catch (ExecutionException | CancellationException e) {
            throw fail(Failures.cause(e), writes);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            failure = e;
            if (writes) {
                throw Failures.unknown(OutcomeUnknownException.Reason.INTERRUPTED, place);
            }
            throw new CancellationException("interrupted before anything changed");
        }
    }

    private RuntimeException fail(Throwable cause, boolean writes) {
        failure = cause;
        Throwable outcome = Failures.ofCommand(cause, writes, slot, place);
        if (outcome instanceof Error error) {
            throw error;
        }
        return (RuntimeException) outcome;
    }
}
