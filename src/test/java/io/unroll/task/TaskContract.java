package io.unroll.task;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.checkpoint.Manifest;
import io.unroll.checkpoint.ModelFolder;
import io.unroll.checkpoint.TrainedModel;
import io.unroll.chunk.Batch;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.model.Loss;
import io.unroll.model.Network;
import io.unroll.model.RecurrentState;
import io.unroll.storage.RowFiles;
import io.unroll.text.Row;
import io.unroll.text.SymbolCounters;
import io.unroll.text.Vocabularies;
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

/** Tests that every task must pass. */
abstract class TaskContract {
    @TempDir
    Path folder;

    /** @return the settings of the task */
    abstract String settings();

    /** @return the vocabularies of a tiny corpus */
    abstract Vocabularies vocabularies();

    /** @return the entire tiny corpus, in training order */
    abstract List<Batch> batches();

    abstract Prompt prompt() throws IOException;

    /** @return whether the network has memorized the tiny corpus */
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

    private Settings parsed(String overrides) {
        return SettingsReader.parse(
                "run.directory = r, corpus.path = p, model { hidden = 24, layers = 1 }\n" + settings() + "\n"
                        + overrides,
                "test");
    }

    /** @return the files that rows name */
    RowFiles files() {
        return new RowFiles(folder.toString(), new Configuration());
    }

    /** For tasks that read rows. */
    final Vocabularies vocabulariesOf(List<Row> rows) {
        Examples examples = task().examples().orElseThrow();
        SymbolCounters counters = new SymbolCounters();
        rows.forEach(row -> examples.count(row, counters));
        return examples.vocabularies(counters.counts());
    }

    /**
     * For tasks that read rows.
     *
     * @return one batch of all rows
     */
    final List<Batch> batchOf(List<Row> rows) {
        Examples examples = task().examples().orElseThrow();
        Vocabularies vocabularies = vocabularies();
        return List.of(examples.batch(rows.stream()
                .map(row -> examples.encode(row, examples.read(row, files()), vocabularies))
                .toList()));
    }

    static Row row(Object... columnsAndValues) {
        Map<String, String> values = new HashMap<>();
        for (int i = 0; i < columnsAndValues.length; i += 2) {
            values.put((String) columnsAndValues[i], (String) columnsAndValues[i + 1]);
        }
        return new Row("test", 1, values);
    }

    boolean hasSourceTokens() {
        return false;
    }

    @Test
    void attentionRequiresSourceTokens() {
        Settings attending = parsed("model.attention = general");
        if (hasSourceTokens()) {
            assertDoesNotThrow(() -> Task.of(attending));
        } else {
            assertThrows(ConfigurationException.class, () -> Task.of(attending));
        }
    }

    @Test
    void memorizesATinyCorpus() {
        try (Network network = new Network(task().network(vocabularies()), 1)) {
            assertTrue(!isPerfect(metrics(network)), "perfect before training");
            learn(network);
            assertTrue(isPerfect(metrics(network)), metrics(network).toString());
        }
    }

    @Test
    void lossMatchesTheLogits() {
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
    void lossOfABatchIsTheSumOverItsLanes() {
        try (Network network = new Network(task().network(vocabularies()), 1)) {
            Batch batch = batches().get(0);
            Loss together = network.evaluate(batch);
            Loss separate = Loss.ZERO;
            for (int lane = 0; lane < batch.lanes(); lane++) {
                network.setState(RecurrentState.ZERO);
                separate = separate.plus(network.evaluate(lane(batch, lane)));
            }
            assertEquals(separate.tokens(), together.tokens());
            assertEquals(separate.sum(), together.sum(), 1e-4);
        }
    }

    /** @return the lane as a batch without padding */
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
    void savedModelAnswersLikeTheOriginal() throws IOException {
        Vocabularies vocabularies = vocabularies();
        Settings settings = parsed();
        try (Network network = new Network(task().network(vocabularies), 1)) {
            learn(network);
            float[] parameters = network.parameters();
            Manifest manifest = new Manifest("hash", 1, 1, 1, 1, null);
            TrainedModel model =
                    new TrainedModel(manifest, settings, vocabularies, parameters, network.optimizerState());
            new ModelFolder(folder.resolve("model").toString(), new Configuration()).write(model, false);

            TrainedModel read = new ModelFolder(folder.resolve("model").toString(), new Configuration()).read();

            assertArrayEquals(parameters, read.parameters());
            assertTrue(!answer(model).isBlank());
            assertEquals(answer(model), answer(read));
        }
    }

    final String answer(TrainedModel model) throws IOException {
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
