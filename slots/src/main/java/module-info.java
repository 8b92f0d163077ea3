/** CRC16 hash slots, slot ranges and sets, and the versioned cluster topology. */
@org.jspecify.annotations.NullMarked
module io.kvorum.slots {
    requires static transitive org.jspecify;

    exports io.kvorum.slots;
    exports io.kvorum.slots.topology;
}
