package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.checkpoint.TrainedModel;
import io.unroll.chunk.SequenceReader;
import io.unroll.chunk.SequenceStore;
import io.unroll.chunk.TextSource;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.model.Loss;
import io.unroll.model.Network;
import io.unroll.text.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Prepares and evaluates text in many small slices, on local Spark. */
class CorpusPreparationIT extends LocalSparkSession {
    private static final String TEXT = "Es saß ein Mann im Café,\r\n漢字 und \uD83D\uDE00\u2028ohne Ende ".repeat(40);

    @BeforeAll
    static void writeFiles() throws IOException {
        Files.createDirectories(folder.resolve("text"));
        Files.writeString(folder.resolve("text/1"), TEXT);
        Files.writeString(folder.resolve("text/2"), "");
        Files.writeString(folder.resolve("text/3"), TEXT.substring(7));
    }

    @ParameterizedTest
    @CsvSource({"char, 100", "char, 1000000", "byte, 333", "word, 50"})
    void writesTheTokensOfAllFilesInOrder(String tokenizer, long sliceBytes) throws IOException {
        Settings settings = settings(tokenizer + sliceBytes, "corpus.tokenizer = " + tokenizer);
        PreparedCorpus corpus = text(settings, sliceBytes).prepare();

        int[] tokens = new int[(int) store(corpus).index().tokens()];
        try (SequenceReader reader = store(corpus).open(session.hadoop())) {
            reader.read(0, tokens, 0, tokens.length);
        }
        Tokenizer.Decoder decoder = corpus.vocabularies().tokens().decoder();
        ByteArrayOutputStream decoded = new ByteArrayOutputStream();
        IntStream.of(tokens).forEach(token -> decoded.writeBytes(decoder.decode(token)));
        String actual = decoded.toString(StandardCharsets.UTF_8);
        if (tokenizer.equals("word")) {
            assertEquals(List.of((TEXT + TEXT.substring(7)).split("[\\s\u2028]+")), List.of(actual.split("\\s+")));
        } else {
            assertEquals(TEXT + TEXT.substring(7), actual);
        }
        assertFalse(corpus.found());
        assertTrue(text(settings, sliceBytes).prepare().found());
    }

    private static SequenceStore store(PreparedCorpus corpus) {
        return ((TextSource) corpus.source()).store();
    }

    private static TextPreparation text(Settings settings, long splitBytes) {
        return new FileText(session, settings.corpus(), Optional.empty(), splitBytes, splitBytes);
    }

    private static Loss evaluate(TrainedModel model, List<String> texts, long bytes) throws IOException {
        Evaluation evaluation = Evaluation.byLoss(session, model.settings(), model.shape(), model.parameters());
        Settings settings = model.settings();
        EvaluationSource source = new FileText(session, settings.corpus(), Optional.empty(), 1, bytes)
                .evaluationSource(
                        texts, model.vocabularies(), settings.training().tbptt());
        return evaluation.score("evaluate", source).orElseThrow().loss();
    }

    @Test
    void readsThousandsOfSmallFilesAsOneText() throws IOException {
        Path many = Files.createDirectories(folder.resolve("many"));
        for (int i = 0; i < 2_000; i++) {
            Files.writeString(many.resolve(String.format("%05d", i)), "file " + i + "\n");
        }
        Settings settings = SettingsReader.parse(
                "run.directory = \"" + folder.resolve("small") + "\", corpus.path = \"" + many + "\"", "test");

        PreparedCorpus corpus = text(settings, 16 << 20).prepare();

        long expected = IntStream.range(0, 2_000)
                .mapToLong(i -> ("file " + i + "\n").length())
                .sum();
        assertEquals(expected, store(corpus).index().tokens());
        assertEquals(1, store(corpus).index().parts().size(), "small files share a task and a part");
    }

    @Test
    void scoresSlicesNearlyLikeTheEntireText() throws IOException {
        Settings settings = settings("evaluation", "model { hidden = 16, layers = 1 }");
        PreparedCorpus corpus = text(settings, 1 << 20).prepare();
        TrainedModel empty = new TrainedModel(null, settings, corpus.vocabularies(), new float[0], new float[0]);
        TrainedModel model;
        try (Network network = new Network(empty.shape(), 1)) {
            model = new TrainedModel(null, settings, corpus.vocabularies(), network.parameters(), new float[0]);
        }
        List<String> texts = List.of(folder.resolve("text/1").toString());

        Loss entire = evaluate(model, texts, 1 << 16);
        Loss sliced = evaluate(model, texts, 200);

        assertEquals(TEXT.codePointCount(0, TEXT.length()) - 1, entire.tokens());
        assertEquals(entire.tokens(), sliced.tokens());
        assertEquals(entire.mean(), sliced.mean(), 1e-5);
    }

    private static Settings settings(String name, String more) {
        return SettingsReader.parse(
                "run.directory = \"" + folder.resolve(name) + "\", corpus.path = \"" + folder.resolve("text") + "\"\n"
                        + more,
                "test");
    }
}
