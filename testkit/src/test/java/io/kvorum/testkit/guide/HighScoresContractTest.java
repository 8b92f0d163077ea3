package io.kvorum.testkit.guide;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.replication.ReplicatedState;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.testkit.contract.ReplicatedStateContract;
import java.util.List;
import java.util.stream.IntStream;

final class HighScoresContractTest extends ReplicatedStateContract {
    @Override
    protected ReplicatedState empty() {
        return new HighScores(ReplicationLog.inMemory(1 << 10));
    }

    @Override
    protected List<Change> changes() {
        return IntStream.rangeClosed(1, 20)
                .mapToObj(i -> new Change(0, ("player-" + i % 7 + "=" + i + "\n").getBytes(UTF_8)))
                .toList();
    }

    @Override
    protected Object contents(ReplicatedState state) {
        return ((HighScores) state).all();
    }
}
