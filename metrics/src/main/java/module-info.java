/** Micrometer meters of stores. */
@SuppressWarnings({"requires-automatic", "requires-transitive-automatic"}) // Micrometer has no module descriptor
@org.jspecify.annotations.NullMarked
module io.kvorum.metrics {
    requires static transitive org.jspecify;
    requires transitive io.kvorum.core;
    requires transitive micrometer.core;

    exports io.kvorum.metrics;
}
