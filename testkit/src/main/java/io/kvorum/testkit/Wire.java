package io.kvorum.testkit;

import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeCommand;
import io.kvorum.failover.SentinelCodec;
import io.kvorum.failover.SentinelMessage;
import io.kvorum.replication.ReplicationCodec;
import io.kvorum.replication.ReplicationMessage;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Carries what is sent from one party to another: as it is, or as bytes, as a network would. */
final class Wire {
    /** Carries everything as it is. */
    static final Wire NONE = new Wire(null, null);

    private static final int MAX_FRAME = 1 << 30;

    private final @Nullable ReplicationCodec replication;
    private final @Nullable SentinelCodec sentinels;

    private Wire(@Nullable ReplicationCodec replication, @Nullable SentinelCodec sentinels) {
        this.replication = replication;
        this.sentinels = sentinels;
    }

    /** {@return a wire that encodes and decodes everything} */
    static Wire encoding() {
        return new Wire(new ReplicationCodec(MAX_FRAME), new SentinelCodec(MAX_FRAME));
    }

    ReplicationMessage carry(ReplicationMessage message) {
        if (replication == null) {
            return message;
        }
        ByteBuf frame = Unpooled.buffer();
        try {
            replication.encode(message, frame);
            return replication.decode(frame);
        } finally {
            frame.release();
            message.release();
        }
    }

    SentinelMessage carry(SentinelMessage message) {
        return sentinels == null ? message : sentinels.decodeMessage(ByteBuffer.wrap(sentinels.encode(message)));
    }

    NodeCommand carry(NodeCommand command) {
        return sentinels == null ? command : sentinels.decodeCommand(ByteBuffer.wrap(sentinels.encode(command)));
    }

    NodeAnswer carry(NodeAnswer answer) {
        return sentinels == null ? answer : sentinels.decodeAnswer(ByteBuffer.wrap(sentinels.encode(answer)));
    }
}
