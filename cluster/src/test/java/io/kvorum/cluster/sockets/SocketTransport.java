package io.kvorum.cluster.sockets;

import io.kvorum.cluster.ClusterSentinel;
import io.kvorum.cluster.NodeCommands;
import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeCommand;
import io.kvorum.failover.SentinelCodec;
import io.kvorum.failover.SentinelMessage;
import io.kvorum.replication.ReplicationCodec;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.replication.runtime.NodeDriver;
import io.kvorum.slots.topology.NodeId;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;

/** Connects processes that each run a node and a sentinel of one name. A connection begins with it; frames follow. */
final class SocketTransport {
    private final ReplicationCodec replication = new ReplicationCodec(16 << 20);
    private final SentinelCodec sentinels = new SentinelCodec(16 << 20);
    private final Map<NodeId, BlockingQueue<byte[]>> links = new ConcurrentHashMap<>();
    private final Map<NodeId, Consumer<NodeAnswer>> answers = new ConcurrentHashMap<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final NodeId self;
    private final Map<NodeId, InetSocketAddress> addresses;

    SocketTransport(NodeId self, Map<NodeId, InetSocketAddress> addresses) {
        this.self = self;
        this.addresses = addresses;
    }

    void send(NodeId to, ReplicationMessage message) {
        ByteBuf frame = Unpooled.buffer();
        try {
            replication.encode(message, frame);
            send(to, ByteBufUtil.getBytes(frame));
        } finally {
            message.release();
        }
    }

    void send(NodeId to, SentinelMessage message) {
        send(to, sentinels.encode(message));
    }

    void send(NodeId to, NodeCommand command, Consumer<NodeAnswer> answer) {
        answers.put(to, answer); // one does for all: an answer names its command
        send(to, sentinels.encode(command));
    }

    private void send(NodeId to, byte[] frame) {
        links.computeIfAbsent(to, this::connect).offer(frame); // lost if too many wait
    }

    private BlockingQueue<byte[]> connect(NodeId to) {
        BlockingQueue<byte[]> waiting = new ArrayBlockingQueue<>(1_000);
        threads.execute(() -> {
            while (true) {
                try (Socket socket = new Socket()) {
                    byte[] frame = waiting.take();
                    socket.setTcpNoDelay(true); // or a small frame waits for the one before it to arrive
                    socket.connect(addresses.get(to), 1_000);
                    DataOutputStream out = new DataOutputStream(socket.getOutputStream());
                    for (out.writeUTF(self.value()); ; frame = waiting.take()) {
                        out.writeInt(frame.length);
                        out.write(frame);
                    }
                } catch (Exception e) { // what was on its way is lost; the next frame connects anew
                }
            }
        });
        return waiting;
    }

    /** Hands what arrives to the node and the sentinel of this process. */
    void serve(ServerSocket server, NodeDriver node, ClusterSentinel sentinel) throws IOException {
        while (true) {
            Socket socket = server.accept();
            threads.execute(() -> {
                try (DataInputStream in = new DataInputStream(socket.getInputStream())) {
                    NodeId from = new NodeId(in.readUTF());
                    while (true) {
                        take(from, ByteBuffer.wrap(in.readNBytes(in.readInt())), node, sentinel);
                    }
                } catch (Exception e) { // the sender has ended, or this was no frame
                }
            });
        }
    }

    private void take(NodeId from, ByteBuffer frame, NodeDriver node, ClusterSentinel sentinel) {
        if (frame.get(1) == 'R') {
            node.receive(from, replication.decode(Unpooled.wrappedBuffer(frame)));
            return;
        }
        switch (sentinels.kind(frame)) {
            case MESSAGE -> sentinel.receive(from, sentinels.decodeMessage(frame));
            case ANSWER -> answers.get(from).accept(sentinels.decodeAnswer(frame));
            case COMMAND ->
                NodeCommands.execute(
                        node, sentinels.decodeCommand(frame), answer -> send(from, sentinels.encode(answer)));
        }
    }
}
