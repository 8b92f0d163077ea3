package io.kvorum.testkit.junit;

import io.kvorum.testkit.LocalCluster;

/** A program that forgets to close its cluster. */
final class LeftOpenAtTheEnd {
    private LeftOpenAtTheEnd() {}

    public static void main(String[] args) {
        LocalCluster.builder().shards(1).virtualTime(1).start();
    }
}
