package io.kvorum.resp;

import io.kvorum.core.KeyOperations;
import io.kvorum.core.KeyReads;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.topology.RefusedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Transactions. The commands between MULTI and EXEC run as one change of the store if their keys are all of one slot:
 * then nobody sees a part of it, on no node and after no failover. If they are of several slots, which only a server
 * that is no cluster takes, or one of them is about all keys, they run alone at the node, one after the other.
 */
final class TransactionCommands {
    static final Set<String> AT_ONCE = Set.of("exec", "discard", "multi", "watch", "quit", "reset");

    static final String ABORTED_BY = "EXECABORT Transaction discarded because of: ";

    private TransactionCommands() {}

    static void addTo(CommandTable table) {
        table.add(
                "transactions",
                Command.of(
                        "discard",
                        1,
                        "noscript loading stale fast allow_busy @transaction",
                        "",
                        "Gives up the transaction",
                        "2.0.0",
                        TransactionCommands::discard));
        table.add(
                "transactions",
                Command.of(
                        "exec",
                        1,
                        "noscript loading stale skip_slowlog @transaction",
                        "",
                        "Runs the transaction",
                        "1.2.0",
                        TransactionCommands::exec));
        table.add(
                "transactions",
                Command.of(
                        "multi",
                        1,
                        "noscript loading stale fast allow_busy @transaction",
                        "",
                        "Begins a transaction",
                        "1.2.0",
                        TransactionCommands::multi));
        table.add(
                "transactions",
                Command.of(
                        "unwatch",
                        1,
                        "noscript loading stale fast allow_busy @transaction",
                        "",
                        "Forgets the watched keys",
                        "2.2.0",
                        TransactionCommands::unwatch));
        table.add(
                "transactions",
                Command.of(
                        "watch",
                        -2,
                        "noscript loading stale fast allow_busy @transaction",
                        "1 -1 1 RO",
                        "Makes the next transaction depend on some keys",
                        "2.2.0",
                        TransactionCommands::watch));
    }

    /** {@return whether a command is not queued} */
    static boolean runsAtOnce(Command command) {
        return command.traits().atOnce();
    }

    private static void multi(Call call) {
        if (call.session().inTransaction()) {
            throw new CommandException("ERR MULTI calls can not be nested");
        }
        call.session().beginTransaction();
        call.out().ok();
    }

    private static void discard(Call call) {
        if (!call.session().inTransaction()) {
            throw new CommandException("ERR DISCARD without MULTI");
        }
        abandon(call.connection());
        call.out().ok();
    }

    /** Forgets what was queued and what is watched. */
    static void abandon(Connection connection) {
        connection.session().endTransaction();
        if (connection.endpoint() instanceof NodeEndpoint node) {
            node.watched().forget(connection.session());
        }
    }

    private static void watch(Call call) {
        Session session = call.session();
        if (session.inTransaction()) {
            throw new CommandException("ERR WATCH inside MULTI is not allowed");
        }
        for (byte[] key : call.command().keysOf(call.args())) {
            if (!session.watched.containsKey(Text.latin(key))) {
                call.node().watched().add(session, new Watched(key, call.keys().lookUp(key)));
            }
        }
        call.out().ok();
    }

    private static void unwatch(Call call) {
        call.node().watched().forget(call.session());
        call.out().ok();
    }

    private static void exec(Call call) {
        execute(call.connection());
    }

    /** Runs what was queued. It is queued still, to be tried again after a refusal, until EXEC is over. */
    static void execute(Connection connection) {
        Session session = connection.session();
        if (!session.inTransaction()) {
            throw new CommandException("ERR EXEC without MULTI");
        }
        if (session.broken) {
            throw new CommandException("EXECABORT Transaction discarded because of previous errors.");
        }
        List<Session.Queued> queue = session.queue == null ? List.of() : List.copyOf(session.queue);
        List<byte[]> keys = new ArrayList<>();
        boolean separate = false;
        for (Session.Queued queued : queue) {
            List<byte[]> own = queued.command().keysOf(queued.args());
            keys.addAll(own);
            boolean aboutAll = own.isEmpty()
                    && (queued.command().isWrite() || queued.command().has("readonly"));
            separate |= aboutAll || queued.command().name().startsWith("cluster|");
        }
        session.watched.values().forEach(watched -> keys.add(watched.key));
        boolean one = !separate && !keys.isEmpty() && Call.inOneSlot(keys);
        boolean writes = queue.stream().anyMatch(queued -> queued.command().isWrite());
        NodeEndpoint node = (NodeEndpoint) connection.endpoint();
        node.use(connection, true, () -> {
            if (one && writes) {
                int slot = HashSlot.of(keys.get(0));
                connection.store().<@Nullable Void>transact(slot, slotKeys -> {
                    runAll(connection, queue, slotKeys, slotKeys);
                    return null;
                });
            } else {
                runAll(connection, queue, null, connection.store());
            }
        });
    }

    private static void runAll(
            Connection connection, List<Session.Queued> queue, @Nullable KeyOperations transaction, KeyReads reads) {
        RespWriter out = connection.out();
        Session session = connection.session();
        if (session.watched.values().stream().anyMatch(watched -> watched.isChanged(reads))) {
            out.nilArray();
            return;
        }
        session.queue = null; // what runs now is in no transaction to come
        session.executing = true;
        try {
            out.array(queue.size());
            for (Session.Queued queued : queue) {
                long mark = out.position();
                int changes = connection.changes().size();
                try {
                    new Call(queued.command(), queued.args(), connection, transaction).run();
                } catch (CommandException e) {
                    out.truncate(mark);
                    out.error(e.error());
                } catch (RefusedException e) {
                    if (transaction != null) {
                        throw e;
                    }
                    out.truncate(mark);
                    out.error(Routing.error((NodeEndpoint) connection.endpoint(), e));
                } catch (IllegalArgumentException | OutOfMemoryError e) { // of a value that is too long
                    if (transaction != null) {
                        throw e;
                    }
                    out.truncate(mark);
                    connection.forgetChanges(changes);
                    out.error(e instanceof Error ? NodeEndpoint.NO_MEMORY : NodeEndpoint.TOO_LONG);
                }
            }
        } finally {
            session.executing = false;
            session.queue = new ArrayList<>(queue); // until all of it was accepted
        }
    }
}
