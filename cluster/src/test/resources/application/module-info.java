/** An application with a store and a node, which is linked into an image of its own. */
module application {
    requires io.kvorum.cluster;
}
