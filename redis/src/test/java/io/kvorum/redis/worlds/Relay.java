package io.kvorum.redis.worlds;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Stands between processes, so that what one sends to another can be held up, as it is by a network that carries
 * nothing: connections stay open and are silent, and what was sent arrives when the cut ends. Who sends is known by the
 * address it comes from, so each process needs one of its own.
 *
 * <p>Safe for use by any number of threads; it has one of its own.
 */
final class Relay implements AutoCloseable {
    private static final int BUFFER_BYTES = 1 << 14;
    private static final int SOCKET_BYTES = 1 << 16; // so that what is not read stays with its sender

    private final Selector selector;
    private final Map<String, String> parties = new HashMap<>(); // by the addresses that they send from
    private final Set<String> cuts = new HashSet<>();
    private final List<Flow> flows = new ArrayList<>();
    private final List<ServerSocketChannel> doors = new ArrayList<>();
    private final Thread thread = new Thread(this::run, "relay");
    private boolean closed;

    /** One direction of a connection. */
    private static final class Flow {
        final SocketChannel from;
        final SocketChannel to;
        final String link;
        final ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES).flip();

        Flow(SocketChannel from, SocketChannel to, String link) {
            this.from = from;
            this.to = to;
            this.link = link;
        }
    }

    /** Whose door it is, and where that listens. */
    private record Behind(String party, InetSocketAddress target) {}

    Relay() throws IOException {
        selector = Selector.open();
        thread.setDaemon(true);
        thread.start();
    }

    /**
     * Opens the door of a party.
     *
     * @param source the address that it sends from
     * @param target where it listens
     * @param host the host of its door
     * @return where the others reach it
     */
    synchronized InetSocketAddress open(String party, String source, InetSocketAddress target, String host)
            throws IOException {
        parties.put(source, party);
        ServerSocketChannel door = ServerSocketChannel.open();
        doors.add(door);
        door.setOption(StandardSocketOptions.SO_RCVBUF, SOCKET_BYTES);
        door.bind(new InetSocketAddress(host, 0));
        door.configureBlocking(false);
        selector.wakeup();
        door.register(selector, SelectionKey.OP_ACCEPT, new Behind(party, target));
        return (InetSocketAddress) door.getLocalAddress();
    }

    /** Cuts the links between some parties and others, in both directions. */
    synchronized void cut(Collection<String> some, Collection<String> others) {
        for (String one : some) {
            for (String other : others) {
                cuts.add(link(one, other));
                cuts.add(link(other, one));
            }
        }
        refresh();
    }

    synchronized void heal() {
        cuts.clear();
        refresh();
    }

    private static String link(String from, String to) {
        return from + " to " + to;
    }

    private void refresh() {
        flows.forEach(this::arm);
        selector.wakeup();
    }

    private void run() {
        while (true) {
            try {
                selector.select();
                synchronized (this) {
                    if (closed) {
                        selector.close();
                        return;
                    }
                    for (SelectionKey key : selector.selectedKeys()) {
                        handle(key);
                    }
                    selector.selectedKeys().clear();
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private void handle(SelectionKey key) {
        if (key.attachment() instanceof Behind behind) {
            accept((ServerSocketChannel) key.channel(), behind);
            return;
        }
        for (Flow flow : List.copyOf(flows)) {
            if (flow.from == key.channel() || flow.to == key.channel()) {
                move(flow);
            }
        }
    }

    private void accept(ServerSocketChannel door, Behind behind) {
        SocketChannel outer = null;
        SocketChannel inner = null;
        try {
            outer = door.accept();
            if (outer == null) {
                return;
            }
            String source =
                    ((InetSocketAddress) outer.getRemoteAddress()).getAddress().getHostAddress();
            String from = parties.getOrDefault(source, source);
            inner = SocketChannel.open();
            inner.setOption(StandardSocketOptions.SO_SNDBUF, SOCKET_BYTES);
            inner.connect(behind.target());
            register(outer);
            register(inner);
            add(outer, inner, link(from, behind.party()));
            add(inner, outer, link(behind.party(), from));
        } catch (IOException e) { // nobody listens there
            close(outer);
            close(inner);
        }
    }

    private void register(SocketChannel channel) throws IOException {
        channel.configureBlocking(false);
        channel.register(selector, 0);
    }

    private void add(SocketChannel from, SocketChannel to, String link) {
        Flow flow = new Flow(from, to, link);
        flows.add(flow);
        arm(flow);
    }

    private void move(Flow flow) {
        try {
            if (!flow.buffer.hasRemaining() && !cuts.contains(flow.link)) {
                flow.buffer.clear();
                int count = flow.from.read(flow.buffer);
                flow.buffer.flip();
                if (count < 0) {
                    end(flow);
                    return;
                }
            }
            if (!cuts.contains(flow.link)) {
                flow.to.write(flow.buffer);
            }
            arm(flow);
        } catch (IOException e) { // one of them has ended
            end(flow);
        }
    }

    /** Waits for what the flow needs next. */
    private void arm(Flow flow) {
        boolean open = !cuts.contains(flow.link);
        boolean full = flow.buffer.hasRemaining();
        set(flow.from, SelectionKey.OP_READ, open && !full);
        set(flow.to, SelectionKey.OP_WRITE, open && full);
    }

    private void set(SocketChannel channel, int operation, boolean on) {
        SelectionKey key = channel.keyFor(selector);
        if (key != null && key.isValid()) {
            key.interestOps(on ? key.interestOps() | operation : key.interestOps() & ~operation);
        }
    }

    private void end(Flow flow) {
        flows.removeIf(other -> other == flow || other.from == flow.to);
        close(flow.from);
        close(flow.to);
    }

    private static void close(@Nullable SelectableChannel channel) {
        if (channel != null) {
            try {
                channel.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        doors.forEach(Relay::close);
        flows.forEach(flow -> close(flow.from));
        flows.clear();
        selector.wakeup();
    }
}
