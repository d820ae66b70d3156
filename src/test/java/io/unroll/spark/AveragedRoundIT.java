package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.unroll.SampleText;
import io.unroll.chunk.Plan;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.model.Network;
import io.unroll.model.NetworkShape;
import io.unroll.task.Task;
import io.unroll.train.ReplicaState;
import io.unroll.train.RunState;
import io.unroll.train.Snapshot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Averaging on the driver and averaging by a shuffle, there with Kryo, have the same result, bit for bit. */
class AveragedRoundIT {
    private static final int ROUNDS = 2;

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"average", "keep", "reset"})
    void averagesTheSameBitsOnTheDriverAndByShuffle(String updater) throws IOException {
        System.setProperty("spark.master", "local[2]");
        System.setProperty("spark.ui.enabled", "false");
        Files.writeString(folder.resolve("text"), SampleText.lines(400));
        Settings settings = SettingsReader.parse(
                """
                run.directory = "%1$s/run"
                corpus { path = "%1$s/text", validation = 0, test = 0 }
                model { hidden = 160, dropout = 0.1 }
                training { batch = 2, tbptt = 8 }
                cluster { replicas = 3, averaging { every = 2, updater = %2$s } }
                """
                        .formatted(folder, updater),
                "test");
        RoundJob.CompletedRound collected;
        try (Session session = Session.start("test", 1)) {
            collected = train(session, settings, AveragedRound.MAX_COLLECTED_BYTES);
        }
        try (SparkSession spark = CallerSessionIT.callersSession();
                Session session = Session.of(spark)) {
            RoundJob.CompletedRound shuffled = train(session, settings, 0);
            assertSame(collected.snapshot(), shuffled.snapshot());
            assertEquals(
                    collected.results().stream().map(result -> result.loss()).toList(),
                    shuffled.results().stream().map(result -> result.loss()).toList());
        }
    }

    private static RoundJob.CompletedRound train(Session session, Settings settings, long maxCollectedBytes)
            throws IOException {
        Task task = Task.of(settings);
        PreparedCorpus corpus =
                CorpusPreparation.of(session, settings, task, Optional.empty()).prepare();
        NetworkShape shape = task.network(corpus.vocabularies());
        Plan plan = corpus.source().plan(settings);
        RoundJob rounds = new RoundJob(session, settings, shape, plan, maxCollectedBytes);
        RunState state;
        try (Network network = new Network(shape, settings.run().seed())) {
            state = RunState.initial(Snapshot.initial(network.parameters(), plan.replicas()));
        }
        RoundJob.CompletedRound completed = null;
        for (int round = 0; round < ROUNDS; round++) {
            completed = rounds.run(state);
            long shuffledBytes = rounds.report(completed, null).bytes().get("shuffle");
            assertEquals(maxCollectedBytes == 0, shuffledBytes > 0);
            state = state.after(completed.snapshot(), rounds.report(completed, null), 1);
        }
        return completed;
    }

    private static void assertSame(Snapshot expected, Snapshot actual) {
        assertArrayEquals(expected.weights().parameters(), actual.weights().parameters());
        assertArrayEquals(expected.weights().optimizer(), actual.weights().optimizer());
        assertEquals(3, actual.states().size());
        for (int replica = 0; replica < 3; replica++) {
            List<ReplicaState> states =
                    List.of(expected.states().get(replica), actual.states().get(replica));
            assertArrayEquals(
                    states.get(0).recurrent().arrays(),
                    states.get(1).recurrent().arrays());
            assertArrayEquals(states.get(0).optimizer(), states.get(1).optimizer());
        }
    }
}
