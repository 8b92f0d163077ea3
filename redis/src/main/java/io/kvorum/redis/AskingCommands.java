package io.kvorum.redis;

import io.lettuce.core.RedisAsyncCommandsImpl;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.AsyncCommand;
import io.lettuce.core.protocol.Command;
import io.lettuce.core.protocol.CommandType;
import io.lettuce.core.protocol.ProtocolKeyword;
import io.lettuce.core.protocol.RedisCommand;
import java.util.List;

/**
 * Commands to a server that a slot is on its way to, which takes them only right behind ASKING. A MULTI block needs one
 * before it, and none within. For use by one thread; the connection may be shared.
 */
final class AskingCommands extends RedisAsyncCommandsImpl<byte[], byte[]> {
    private boolean inBlock;

    AskingCommands(StatefulRedisConnection<byte[], byte[]> connection) {
        super(connection, ByteArrayCodec.INSTANCE);
    }

    @Override
    public <T> AsyncCommand<byte[], byte[], T> dispatch(RedisCommand<byte[], byte[], T> command) {
        ProtocolKeyword type = command.getType();
        boolean within = inBlock;
        inBlock = type == CommandType.MULTI || (within && type != CommandType.EXEC && type != CommandType.DISCARD);
        if (within) {
            return super.dispatch(command);
        }
        var asking = new AsyncCommand<>(
                new Command<byte[], byte[], String>(CommandType.ASKING, new StatusOutput<>(ByteArrayCodec.INSTANCE)));
        AsyncCommand<byte[], byte[], T> asked = new AsyncCommand<>(command);
        getStatefulConnection().dispatch(List.of(asking, asked)); // nobody comes between them
        return asked;
    }
}
