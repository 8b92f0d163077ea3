package io.kvorum.resp;

import io.kvorum.core.KeyOperations;
import io.kvorum.core.KeyReads;
import io.kvorum.slots.HashSlot;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A command of a connection that is being carried out: its words, whose it is, and where its answer goes.
 *
 * <p>Confined to the thread of the connection.
 */
final class Call implements Runnable {
    private final Command command;
    private final byte[][] args;
    private final Connection connection;
    private final @Nullable KeyOperations transaction;

    Call(Command command, byte[][] args, Connection connection, @Nullable KeyOperations transaction) {
        this.command = command;
        this.args = args;
        this.connection = connection;
        this.transaction = transaction;
    }

    @Override
    public void run() {
        if (!command.isWrite() || !node().isTellingNewKeys() || !node().isAlone()) {
            command.handler().handle(this);
            return;
        }
        int before = connection.changes().size();
        List<byte[]> absent = new ArrayList<>();
        for (byte[] key : command.keysOf(args)) {
            if (!keys().exists(key)) {
                absent.add(key);
            }
        }
        command.handler().handle(this);
        absent.forEach(key -> connection.created(key, before));
    }

    Command command() {
        return command;
    }

    /** {@return how many words the command has, its name among them} */
    int size() {
        return args.length;
    }

    byte[][] args() {
        return args;
    }

    byte[] arg(int index) {
        return args[index];
    }

    String text(int index) {
        return Text.latin(args[index]);
    }

    /** {@return a word as errors show it} */
    String shown(int index) {
        return Text.shown(text(index));
    }

    boolean is(int index, String word) {
        return Text.is(args[index], word);
    }

    long integer(int index) {
        return integer(index, CommandException.NOT_INTEGER);
    }

    long integer(int index, String error) {
        Long number = Numbers.parse(args[index]);
        if (number == null) {
            throw new CommandException(error);
        }
        return number;
    }

    int smallInteger(int index) {
        long number = integer(index);
        if (number != (int) number) {
            throw new CommandException(
                    "ERR value is out of range, value must between " + Integer.MIN_VALUE + " and " + Integer.MAX_VALUE);
        }
        return (int) number;
    }

    Connection connection() {
        return connection;
    }

    Session session() {
        return connection.session();
    }

    RespWriter out() {
        return connection.out();
    }

    Endpoint endpoint() {
        return connection.endpoint();
    }

    /** {@return the node, for commands that only nodes have} */
    NodeEndpoint node() {
        return (NodeEndpoint) connection.endpoint();
    }

    /** {@return the sentinel, for commands that only sentinels have} */
    SentinelEndpoint sentinel() {
        return (SentinelEndpoint) connection.endpoint();
    }

    boolean inTransaction() {
        return transaction != null;
    }

    /** {@return the keys of the node, or of the slot of the transaction that is being run} */
    KeyOperations keys() {
        return transaction != null ? transaction : connection.store();
    }

    /** Runs several operations on keys of one slot as one. */
    <T extends @Nullable Object> T atomically(byte[] key, Function<? super KeyOperations, ? extends T> function) {
        return transaction != null
                ? function.apply(transaction)
                : connection.store().<T>transact(HashSlot.of(key), function);
    }

    /** Reads several things of keys of one slot at one moment. */
    <T extends @Nullable Object> T reading(byte[] key, Function<? super KeyReads, ? extends T> function) {
        return transaction != null
                ? function.apply(transaction)
                : connection.store().<T>read(HashSlot.of(key), function);
    }

    /** {@return whether keys are all of one slot} */
    static boolean inOneSlot(List<byte[]> keys) {
        int slot = HashSlot.of(keys.get(0));
        return keys.stream().allMatch(key -> HashSlot.of(key) == slot);
    }

    /** Notes that the command looked for a key in vain. */
    void missed(byte[] key) {
        if (node().cluster().isNotifying()) {
            connection.changed(Connection.MISS, "keymiss", key);
        }
    }

    /** As {@link #missed}, if it did not find what it looked for. */
    <T> @Nullable T found(byte[] key, @Nullable T value) {
        if (value == null) {
            missed(key);
        }
        return value;
    }

    /**
     * Notes that the command changed a key: for those who watch it, and for those who listen to the key space.
     *
     * @param kind the letter of the kind of event, as in the setting of the server
     * @param event the name of the event
     * @param key the key
     */
    void changed(char kind, String event, byte[] key) {
        if (node().isFollowed()) {
            connection.changed(kind, event, key);
        }
    }
}
