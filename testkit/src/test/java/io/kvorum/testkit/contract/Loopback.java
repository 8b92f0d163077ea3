package io.kvorum.testkit.contract;

import io.kvorum.replication.ReplicationCodec;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.replication.Transport;
import io.kvorum.slots.topology.NodeId;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BiConsumer;

/** A network in this JVM that carries everything as bytes. */
class Loopback {
    /** A node that listens. */
    private record Receiver(ExecutorService thread, BiConsumer<NodeId, ReplicationMessage> receiver) {}

    private final ReplicationCodec codec = new ReplicationCodec(1 << 20);
    private final Map<NodeId, Receiver> receivers = new ConcurrentHashMap<>();

    Transport start(NodeId node, BiConsumer<NodeId, ReplicationMessage> receiver) {
        receivers.put(node, new Receiver(Executors.newSingleThreadExecutor(), receiver));
        return (to, message) -> {
            Receiver target = receivers.get(to);
            if (target != null) {
                ByteBuf frame = Unpooled.buffer();
                codec.encode(message, frame);
                deliver(node, frame, target);
            }
            release(message);
        };
    }

    private void deliver(NodeId from, ByteBuf frame, Receiver target) {
        try {
            target.thread().execute(() -> {
                target.receiver().accept(from, codec.decode(frame));
                frame.release();
            });
        } catch (RejectedExecutionException e) { // the receiver is closed
            frame.release();
        }
    }

    void release(ReplicationMessage message) {
        message.release();
    }

    void close() {
        receivers.values().forEach(receiver -> receiver.thread().shutdownNow());
    }
}
