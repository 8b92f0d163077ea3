package io.kvorum.core.engine;

import io.netty.buffer.ByteBuf;
import java.util.zip.CRC32C;

/** CRC-32C of a part of a buffer. */
public final class Checksum {
    private Checksum() {}

    public static int of(ByteBuf buffer, int index, int length) {
        CRC32C crc = new CRC32C();
        crc.update(buffer.nioBuffer(index, length));
        return (int) crc.getValue();
    }
}
