package io.kvorum.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RecordsTest {
    private static final MemberList MEMBERS =
            MemberList.of(new Member(new NodeId("a"), 1), new Member(new NodeId("b2"), -1));

    private static ByteBuf record(int kind, int version, int slot, byte[] payload) {
        return Unpooled.buffer()
                .writeInt(payload.length)
                .writeByte(kind)
                .writeByte(version)
                .writeShort(slot)
                .writeBytes(payload);
    }

    private static ByteBuf hex(String hex) {
        return Unpooled.wrappedBuffer(ByteBufUtil.decodeHexDump(hex.replace(" ", "")));
    }

    private static void isDamaged(ByteBuf records) {
        assertThrows(IllegalArgumentException.class, () -> Records.check(records));
    }

    /** Golden bytes: a change here breaks rolling upgrades. */
    @Test
    void theLayoutIsFixed() {
        MachineLog log = (MachineLog) ReplicationLog.inMemory(1 << 10);
        Roster first =
                new Roster(MemberList.of(new Member(new NodeId("a"), 1)), List.of(new NodeId("d4"), new NodeId("c")));
        log.begin(0x0102, first, null);
        log.appendMembers(new Roster(MEMBERS, List.of()));
        log.append(16383, hex("cafe"));
        ByteBuf records = Unpooled.buffer();
        log.read(0, records, 1000);

        assertEquals(
                hex("00000019 01 00 0000 0000000000000102 01 01 61 0000000000000001 02 01 63 02 6434"
                        + "00000017 02 00 0000 02 01 61 0000000000000001 02 6232 ffffffffffffffff 00"
                        + "00000002 00 00 3fff cafe"),
                records);
        Records.check(records);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 64})
    void memberListsComeBackAsTheyWere(int size) {
        MemberList list = new MemberList(IntStream.range(0, size)
                .mapToObj(i -> new Member(new NodeId("n".repeat(60) + i), i + 1L))
                .toList());
        ByteBuf record = record(Records.MEMBERS, 0, 0, Records.payload(new Roster(list, List.of())));
        Records.check(record);

        assertEquals(new Roster(list, List.of()), Records.roster(record, 0));
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 127, 128, 255})
    void anUnknownKindIsRefusedByItsNumber(int kind) {
        UnknownRecordException e =
                assertThrows(UnknownRecordException.class, () -> Records.check(record(kind, 2, 0xffff, new byte[3])));

        assertEquals(kind, e.kind());
        assertEquals(2, e.version());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 255})
    void anUnknownVersionIsRefusedByItsNumber(int version) {
        for (int kind : List.of(Records.DATA, Records.BEGIN, Records.MEMBERS)) {
            UnknownRecordException e = assertThrows(
                    UnknownRecordException.class, () -> Records.check(record(kind, version, 0, new byte[1])));
            assertEquals(kind, e.kind());
            assertEquals(version, e.version());
        }
    }

    @Test
    void damagedRecordsAreRefused() {
        isDamaged(hex("00000000 00 00 00")); // half a header
        isDamaged(hex("00000003 00 00 0000 cafe")); // half a record
        isDamaged(hex("ffffffff 00 00 0000")); // a negative length
        isDamaged(record(Records.DATA, 0, 16384, new byte[1])); // no such slot
        isDamaged(record(Records.BEGIN, 0, 1, new byte[8])); // a slot where none belongs
        isDamaged(record(Records.BEGIN, 0, 0, new byte[7])); // half an epoch
        isDamaged(record(Records.BEGIN, 0, 0, new byte[] {-1, 0, 0, 0, 0, 0, 0, 0})); // a negative epoch
    }

    @Test
    void damagedMemberListsAreRefused() {
        byte[] payload = Records.payload(new Roster(MEMBERS, List.of(new NodeId("c"))));
        for (int length = 0; length < payload.length; length++) {
            isDamaged(record(Records.MEMBERS, 0, 0, java.util.Arrays.copyOf(payload, length)));
        }
        isDamaged(record(Records.MEMBERS, 0, 0, java.util.Arrays.copyOf(payload, payload.length + 1)));
        byte[] begin = Records.payload(7, new Roster(MEMBERS, List.of()));
        for (int length = Long.BYTES + 1; length < begin.length; length++) {
            isDamaged(record(Records.BEGIN, 0, 0, java.util.Arrays.copyOf(begin, length)));
        }
        isDamaged(record(Records.MEMBERS, 0, 0, new byte[] {0, 0})); // nobody
        isDamaged(record(Records.MEMBERS, 0, 0, new byte[] {1, 1, ' ', 0, 0, 0, 0, 0, 0, 0, 1, 0})); // no node id
        isDamaged(record(Records.MEMBERS, 0, 0, new byte[] {1, 1, 'a', 0, 0, 0, 0, 0, 0, 0, 0, 0})); // incarnation 0
    }

    @Test
    void nothingIsSound() {
        Records.check(Unpooled.EMPTY_BUFFER);
    }
}
