package io.unroll.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RunIdentityTest {
    private static final Configuration HADOOP = new Configuration();

    @TempDir
    private Path folder;

    /** The settings are those of a model with model.hidden = 3 and one layer, plus one change. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "task = classification",
                "corpus.tokenizer = word",
                "corpus.target-tokenizer = word",
                "corpus.min-count = 2",
                "corpus.documents = reset",
                "corpus.columns { document = host, order = time }",
                "corpus.validation = 0.2",
                "model.cell = gru",
                "model.hidden = 4",
                "model.embedding = 4",
                "model.layers = 2",
                "model.tied = true",
                "model { hidden = 4, dropout = 0.5 }",
                "model.dropout = 0.5",
                "model.label-smoothing = 0.1",
                "model.precision = bfloat16",
                "model.recurrence = steps",
                "training.batch = 8",
                "training.learning-rate = 0.5",
                "training { batch = 8, tbptt = 9 }, model.peepholes = true",
                "cluster.replicas = 3",
                "run.seed = 8",
            })
    void advisesAWarmStartOnlyIfTheChangeAllowsIt(String change) {
        String path = writeModel();
        RunIdentity run = identity(path, TestModels.settings(change));

        String message = message(run, TestModels.settings(change));

        boolean allowed;
        try {
            allowed = RunIdentity.warmStart(
                            TestModels.settings(change + "\ntraining.start-from = \"" + path + "\""), HADOOP)
                    .isPresent();
        } catch (ConfigurationException e) {
            allowed = false;
        }
        assertTrue(message.startsWith(path + " is from another run: "), message);
        assertTrue(message.contains("Set another run.directory"), message);
        assertTrue(message.contains("run.overwrite=true"), message);
        assertEquals(allowed, message.contains("(add training.start-from=" + path + " to start from"), message);
    }

    @Test
    void doesNotReadDocumentsWithAModelThatHasNoStartToken() {
        Settings documents =
                TestModels.settings("corpus.documents = reset, training.start-from = \"" + writeModel() + "\"");
        String message = assertThrows(ConfigurationException.class, () -> RunIdentity.warmStart(documents, HADOOP))
                .getMessage();
        assertTrue(message.contains("its special tokens, such as the start of a document"), message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "model.hidden = 5                       | model.hidden is 5, and was 3",
                "model { hidden = 5, embedding = 9 }    | model.embedding is 9, and was 3; model.hidden is 5, and was 3",
                "model.embedding = 9                    | model.embedding is 9, and was 3",
                "corpus.tokenizer = word                | corpus.tokenizer is word, and was char",
                "corpus.target-tokenizer = word         | corpus.target-tokenizer is word, and was char",
                "corpus.prepared = elsewhere, run.seed = 8 | run.seed is 8, and was 7",
            })
    void namesTheKeysThatTheUserChanged(String change, String differences) {
        String path = writeModel();

        String message = message(identity(path, TestModels.settings(change)), TestModels.settings(change));

        assertTrue(message.startsWith(path + " is from another run: " + differences + ". Set "), message);
    }

    @Test
    void comparesTheCorpusByItsHash() {
        RunIdentity run = identity(writeModel(), TestModels.settings(""));
        run.checkSettings(TestModels.settings("corpus.path = moved"));
        run.checkCorpus("hash");

        String message = assertThrows(ConfigurationException.class, () -> run.checkCorpus("other"))
                .getMessage();

        assertTrue(message.contains("the content of the corpus has changed. Set another run.directory (add"), message);
    }

    private static String message(RunIdentity run, Settings settings) {
        return assertThrows(ConfigurationException.class, () -> run.checkSettings(settings))
                .getMessage();
    }

    private static RunIdentity identity(String path, Settings current) {
        TrainedModel model = new ModelFolder(path, HADOOP).read();
        return RunIdentity.ofModel(new org.apache.hadoop.fs.Path(path), model, current, HADOOP);
    }

    private String writeModel() {
        String path = folder.resolve("model").toString();
        new ModelFolder(path, HADOOP).write(TestModels.model(TestModels.settings(""), "a", "b"), false);
        return path;
    }
}
