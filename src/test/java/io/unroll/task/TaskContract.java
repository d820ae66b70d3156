package io.unroll.task;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.checkpoint.Manifest;
import io.unroll.checkpoint.Model;
import io.unroll.checkpoint.ModelFolder;
import io.unroll.checkpoint.Versions;
import io.unroll.chunk.Batch;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.model.Loss;
import io.unroll.model.Network;
import io.unroll.model.RecurrentState;
import io.unroll.text.Row;
import io.unroll.text.RowFiles;
import io.unroll.text.Vocabularies;
import io.unroll.train.FloatArray;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What holds for every task. */
abstract class TaskContract {
    @TempDir
    Path folder;

    /** Settings of the task, which stand above the contract's. */
    abstract String settings();

    /** A tiny corpus. */
    abstract Vocabularies vocabularies();

    /** The tiny corpus, whole, in the order in which it is trained. */
    abstract List<Batch> batches();

    abstract Prompt prompt() throws IOException;

    /** @return whether the network knows the tiny corpus by heart */
    abstract boolean isPerfect(Map<String, Object> metrics);

    double learningRate() {
        return 0.02;
    }

    final Task task() {
        return Task.of(parsed());
    }

    private Settings parsed() {
        return parsed("");
    }

    private Settings parsed(String more) {
        return SettingsReader.parse(
                "run.directory = r, corpus.path = p, model { hidden = 24, layers = 1 }\n" + settings() + "\n" + more,
                "test");
    }

    /** Where files lie that rows name. */
    RowFiles files() {
        return new RowFiles(folder.toString(), new Configuration());
    }

    /** For tasks of rows. */
    final Vocabularies vocabulariesOf(List<Row> rows) {
        Examples examples = task().examples().orElseThrow();
        Map<String, Map<String, Long>> counts = new HashMap<>();
        rows.forEach(row -> examples.count(row, counts));
        return examples.vocabularies(counts);
    }

    /** For tasks of rows: all in one batch. */
    final List<Batch> batchOf(List<Row> rows) {
        Examples examples = task().examples().orElseThrow();
        Vocabularies vocabularies = vocabularies();
        return List.of(examples.batch(rows.stream()
                .map(row -> examples.encode(row, examples.read(row, files()), vocabularies))
                .toList()));
    }

    static Row row(Object... meaningsAndValues) {
        Map<String, String> values = new HashMap<>();
        for (int i = 0; i < meaningsAndValues.length; i += 2) {
            values.put((String) meaningsAndValues[i], (String) meaningsAndValues[i + 1]);
        }
        return new Row("test", 1, values);
    }

    boolean hasSourceOfTokens() {
        return false;
    }

    @Test
    void onlyASourceOfTokensCanBeAttendedTo() {
        Settings attending = parsed("model.attention = general");
        if (hasSourceOfTokens()) {
            assertDoesNotThrow(() -> Task.of(attending));
        } else {
            assertThrows(ConfigurationException.class, () -> Task.of(attending));
        }
    }

    @Test
    void aTinyCorpusIsLearntByHeart() {
        try (Network network = new Network(task().network(vocabularies()), 1)) {
            assertTrue(!isPerfect(metrics(network)), "known before it is learnt");
            learn(network);
            assertTrue(isPerfect(metrics(network)), metrics(network).toString());
        }
    }

    @Test
    void theLossIsThatOfTheLogitsAtTheTargets() {
        try (Network network = new Network(task().network(vocabularies()), 1)) {
            Batch batch = batches().get(0);
            int outputs = network.shape().outputs();
            int perLane = batch.targets().length / batch.lanes();
            float[] logits = network.logits(batch);
            double sum = 0;
            for (int lane = 0; lane < batch.lanes(); lane++) {
                for (int step = 0; step < perLane; step++) {
                    int target = batch.targets()[lane * perLane + step];
                    int row = (step * batch.lanes() + lane) * outputs;
                    sum += target == Batch.IGNORED ? 0 : nats(Arrays.copyOfRange(logits, row, row + outputs), target);
                }
            }
            network.setState(RecurrentState.ZERO);
            assertEquals(sum, network.evaluate(batch).sum(), 1e-4);
        }
    }

    private static double nats(float[] logits, int target) {
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit);
        }
        return Math.log(sum) - logits[target];
    }

    @Test
    void aBatchsLossIsThatOfItsLanes() {
        try (Network network = new Network(task().network(vocabularies()), 1)) {
            Batch batch = batches().get(0);
            Loss together = network.evaluate(batch);
            Loss alone = Loss.NONE;
            for (int lane = 0; lane < batch.lanes(); lane++) {
                network.setState(RecurrentState.ZERO);
                alone = alone.plus(network.evaluate(lane(batch, lane)));
            }
            assertEquals(alone.tokens(), together.tokens());
            assertEquals(alone.sum(), together.sum(), 1e-4);
        }
    }

    /** Without the steps behind its end. */
    private static Batch lane(Batch batch, int lane) {
        int steps = batch.lengths() == null ? batch.steps() : batch.lengths()[lane];
        int[] inputs = new int[steps];
        System.arraycopy(batch.inputs(), lane * batch.steps(), inputs, 0, steps);
        int perLane = batch.targets().length / batch.lanes();
        int[] targets = new int[perLane == 1 ? 1 : steps];
        System.arraycopy(batch.targets(), lane * perLane, targets, 0, targets.length);
        return new Batch(
                1,
                steps,
                inputs,
                targets,
                batch.lengths() == null ? null : new int[] {steps},
                batch.sources() == null ? null : new int[][] {batch.sources()[lane]});
    }

    @Test
    void aModelThatIsReadBackAnswersTheSame() throws IOException {
        Vocabularies vocabularies = vocabularies();
        Settings settings = parsed();
        try (Network network = new Network(task().network(vocabularies), 1)) {
            learn(network);
            float[] parameters = network.parameters();
            Manifest manifest = new Manifest(
                    Versions.all(),
                    1,
                    "hash",
                    vocabularies.tokens().size(),
                    parameters.length,
                    1,
                    1,
                    1,
                    1,
                    null,
                    vocabularies.checksum(),
                    FloatArray.checksum(parameters));
            Model model = new Model(manifest, settings, vocabularies, parameters, network.optimizerState());
            new ModelFolder(folder.resolve("model").toString(), new Configuration()).write(model, false);

            Model read = new ModelFolder(folder.resolve("model").toString(), new Configuration()).read();

            assertArrayEquals(parameters, read.parameters());
            assertTrue(!answer(model).isBlank());
            assertEquals(answer(model), answer(read));
        }
    }

    final String answer(Model model) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        model.answer(prompt(), out);
        return out.toString(StandardCharsets.UTF_8);
    }

    private void learn(Network network) {
        List<Batch> batches = batches();
        int iteration = 0;
        for (int epoch = 0; epoch < 300; epoch++) {
            network.setState(RecurrentState.ZERO);
            for (Batch batch : batches) {
                network.train(batch, learningRate(), 5, iteration++, 0);
            }
            if (epoch % 10 == 9 && isPerfect(metrics(network))) {
                return;
            }
        }
    }

    private Map<String, Object> metrics(Network network) {
        network.setState(RecurrentState.ZERO);
        List<Score> scores = new ArrayList<>();
        batches().forEach(batch -> scores.add(task().score(network, batch, 1)));
        return scores.stream().reduce(Score::plus).orElseThrow().metrics(vocabularies());
    }

    static Prompt prompt(String text, byte[] image) {
        return new Prompt(
                text,
                image == null ? List.of() : List.of(new Prompt.File("image", image)),
                20,
                logits -> {
                    int best = 0;
                    for (int i = 1; i < logits.length; i++) {
                        best = logits[i] > logits[best] ? i : best;
                    }
                    return best;
                },
                2,
                new Configuration());
    }
}
