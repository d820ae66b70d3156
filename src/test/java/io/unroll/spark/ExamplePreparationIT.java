package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.checkpoint.TrainedModel;
import io.unroll.chunk.ExampleSource;
import io.unroll.chunk.SequenceIndex;
import io.unroll.chunk.SequenceReader;
import io.unroll.chunk.SequenceStore;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.config.UnrollException;
import io.unroll.model.Network;
import io.unroll.task.Score;
import io.unroll.task.Task;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Prepares rows on local Spark: malformed rows, and prepared files that are found again. */
class ExamplePreparationIT extends LocalSparkSession {
    private static final String IMAGES = "model.image.side = 8, corpus.images = ";

    @BeforeAll
    static void writeFiles() throws IOException {
        Path images = Files.createDirectories(folder.resolve("images"));
        ImageIO.write(
                new BufferedImage(9, 9, BufferedImage.TYPE_INT_RGB),
                "png",
                images.resolve("a.png").toFile());
        Files.writeString(images.resolve("text.png"), "no image");
    }

    /** The second row of each file is malformed. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            classification | text,label#a,x#"",x#b,y           | , the row with text = null, label = x: the row has no text
            classification | text,label#a,x#" ",x#b,y          | , the row with text =  , label = x: its text is empty
            classification | text,label#a,x#b#b,y              | : it cannot be parsed, or has other columns than the first row: b
            classification | text,label#a,x#b,""#b,y           | , the row with text = b, label = null: the row has no label
            seq2seq        | source,target#a,x#"",y#b,y        | , the row with source = null, target = y: the row has no source
            seq2seq        | source,target#a,x#b," "#b,y       | , the row with source = b, target =  : its target is empty
            captioning     | image,caption#a.png,x#a.png,#a.png,y     | , the row with image = a.png, .*: the row has no caption
            captioning     | image,caption#a.png,x#none.png,y#a.png,y | , the row with image = none.png, .*: there is no file .*none.png
            captioning     | image,caption#a.png,x#text.png,y#a.png,y | , the row with image = text.png, .*: text.png is not an image in a supported format .*
            """)
    void namesAMalformedRowOrSkipsAndCountsIt(String task, String rows, String reason) throws IOException {
        Path file = write(task + "-" + Integer.toHexString(rows.hashCode()) + ".csv", rows.replace('#', '\n') + "\n");
        String settings = "task = " + task + ", " + IMAGES + quoted("images") + ", corpus.path = \"" + file + "\"\n";

        String problem =
                assertThrows(UnrollException.class, () -> prepare(settings)).getMessage();
        assertTrue(problem.matches(".*" + file.getFileName() + reason + "\\. Correct .*"), problem);

        PreparedCorpus corpus = prepare(settings + "corpus.malformed = skip");
        assertEquals(2, corpus.source().size(0).counts().get("examples"));
        assertEquals(1, corpus.source().size(0).counts().get("skipped"));
    }

    @Test
    void imagesOfWhichNoneCanBeReadAreRefused() throws IOException {
        Path file = write("unreadable.csv", "image,caption\nnone,x\ntext.png,y\n");
        String settings = "task = captioning, " + IMAGES + quoted("images") + ", corpus.path = \"" + file + "\"\n";
        String problem = assertThrows(UnrollException.class, () -> prepare(settings + "corpus.malformed = skip"))
                .getMessage();
        assertTrue(
                problem.contains("contains no usable rows; 2 rows are malformed: 2 x its image cannot be used."),
                problem);
    }

    /** Unlike an empty line, which is ignored. */
    @Test
    void readsAnEmptyFileAsAnEmptyText() throws IOException {
        Path label = Files.createDirectories(folder.resolve("texts/x"));
        Files.writeString(label.resolve("a.txt"), "a");
        Files.writeString(label.resolve("b.txt"), "");
        Files.writeString(Files.createDirectories(folder.resolve("texts/y")).resolve("c.txt"), "c");
        String settings = "task = classification, corpus.format = files, corpus.path = " + quoted("texts") + "\n";

        String problem =
                assertThrows(UnrollException.class, () -> prepare(settings)).getMessage();
        assertTrue(problem.matches(".*x/b.txt, row at 1: its text is empty\\. Correct .*"), problem);
        assertEquals(
                1,
                prepare(settings + "corpus.malformed = skip")
                        .source()
                        .size(0)
                        .counts()
                        .get("skipped"));
    }

    /** The rows are one group, and a group is never divided. */
    @Test
    void trainsOnRowsThatAllHaveTheSameSource() throws IOException {
        Path file = write("alike.csv", "source,target\n" + "a,b\n".repeat(10));
        PreparedCorpus corpus = prepare("task = seq2seq, corpus.path = \"" + file + "\"\n");
        assertEquals(10, corpus.source().size(0).counts().get("training"));
    }

    /** The table is small, but the pixels of its two hundred images are 37 MiB. */
    @Test
    void storesAPixelInThreeBytesAndLimitsTheSizeOfParts() throws IOException {
        Path images = Files.createDirectories(folder.resolve("many"));
        StringBuilder rows = new StringBuilder("image,caption\n");
        for (int i = 0; i < 200; i++) {
            Files.copy(folder.resolve("images/a.png"), images.resolve(i + ".png"));
            rows.append(i).append(".png,x\n");
        }
        PreparedCorpus corpus = prepare("task = captioning, model.image.side = 256, corpus.images = " + quoted("many")
                + ", corpus.path = \"" + write("many.csv", rows.toString()) + "\"\n");
        try (Stream<Path> files = Files.list(Path.of(URI.create(corpus.folder())))) {
            List<Long> sizes = files.filter(file -> file.toString().endsWith(".bin"))
                    .map(file -> file.toFile().length())
                    .toList();
            long pixels = 200L * 3 * 256 * 256;
            assertEquals(pixels + 200, sizes.stream().mapToLong(Long::valueOf).sum(), sizes.toString());
            assertTrue(Collections.max(sizes) < pixels * 2 / 3, sizes.toString());
        }
    }

    @Test
    void namesAnInvalidImageNetworkBeforeReadingRows() throws IOException {
        Path file = write("uncaptioned.csv", "image,caption\na.png,\n");
        String settings = "task = captioning, " + IMAGES + quoted("images") + ", corpus.path = \"" + file + "\"\n"
                + "model.image { layer = 1, features = 3, network = " + quoted("images/text.png") + " }";

        String problem = assertThrows(ConfigurationException.class, () -> prepare(settings))
                .getMessage();
        assertTrue(problem.matches("model.image.network = .*text.png is not a readable .*"), problem);
    }

    /** For example, the copy in a model folder. */
    @Test
    void findsPreparedFilesAgainIfTheImageNetworkIsMoved() throws IOException {
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .list()
                .layer(new DenseLayer.Builder().name("seen").nOut(3).build())
                .layer(new DenseLayer.Builder().nOut(2).build())
                .setInputType(InputType.convolutional(8, 8, 3))
                .build());
        network.init();
        ModelSerializer.writeModel(network, folder.resolve("network.zip").toFile(), false);
        Files.copy(folder.resolve("network.zip"), folder.resolve("image-network.zip"));
        Path file = write("networked.csv", "image,caption\na.png,x\n");
        List<String> folders = new ArrayList<>();
        for (String name : List.of("network.zip", "image-network.zip")) {
            folders.add(prepare("task = captioning, " + IMAGES + quoted("images") + ", corpus.path = \"" + file + "\"\n"
                            + "model.image { layer = seen, features = 3, network = " + quoted(name) + " }")
                    .folder());
        }
        assertEquals(folders.get(0), folders.get(1));
    }

    @Test
    void evaluationNamesALabelThatIsNotInTheTrainingData() throws IOException {
        Path seen = write("seen.csv", "text,label\na,x\nb,y\n");
        Path unseen = write("unseen.csv", "text,label\na,x\nb,z\n");
        String settings = "task = classification, corpus.path = \"" + seen + "\"\n";

        String problem = assertThrows(UnrollException.class, () -> evaluate(settings, unseen))
                .getMessage();
        assertTrue(
                problem.matches(
                        ".*unseen.csv, the row with text = b, label = z: its label, z, does not occur in the training data\\. Correct .*"),
                problem);
        assertEquals(
                1, evaluate(settings + "corpus.malformed = skip", unseen).loss().tokens());
    }

    @Test
    void warmStartNamesOrCountsRowsWithUnknownLabels() throws IOException {
        Path seen = write("labels.csv", "text,label\na,x\nb,y\n");
        Path unseen = write("labels-next.csv", "text,label\na,y\nb,z\nb,x\nc,z\n");
        String settings = "task = classification, corpus.path = \"" + seen + "\"\n";
        TrainedModel start = new TrainedModel(
                null, settings(settings), prepare(settings).vocabularies(), new float[0], new float[0]);
        String next = settings + "corpus.path = \"" + unseen + "\"\n";

        String problem = assertThrows(UnrollException.class, () -> prepare(next, Optional.of(start)))
                .getMessage();
        assertTrue(
                problem.matches(
                        ".*next.csv, the row with text = [bc], label = z: its label, z, does not occur in the training data\\. Correct .*"),
                problem);
        PreparedCorpus corpus = prepare(next + "corpus.malformed = skip", Optional.of(start));
        assertEquals(2L, corpus.size().counts().get("skipped"));
        assertEquals(2L, corpus.size().counts().get("examples"));
        assertEquals(start.vocabularies().symbols(), corpus.vocabularies().symbols());
        assertNotEquals(prepare(next + "corpus.malformed = skip").folder(), corpus.folder());
    }

    @Test
    void findsPreparedFilesAgainUntilARelevantSettingOrFileChanges() throws IOException {
        Path file = write("found.csv", "image,caption\na.png,x\n");
        String settings = "task = captioning, " + IMAGES + quoted("images") + ", corpus.path = \"" + file + "\"\n";
        PreparedCorpus first = prepare(settings);
        assertFalse(first.found());
        assertEquals(
                first.folder(),
                prepare(settings + "model { hidden = 7, image.inject = first-step }, training.batch = 3")
                        .folder());
        assertTrue(prepare(settings).found());
        for (String more : List.of("model.image.side = 16", "corpus.tokenizer = word", "corpus.min-count = 2")) {
            assertNotEquals(first.folder(), prepare(settings + more).folder(), more);
        }
        ImageIO.write(
                new BufferedImage(9, 9, BufferedImage.TYPE_INT_ARGB),
                "png",
                folder.resolve("images/b.png").toFile());
        assertNotEquals(first.folder(), prepare(settings).folder(), "another image");
        Files.delete(folder.resolve("images/b.png"));
    }

    /** Labels x, x, x, y in the training part: balanced weights are 4 / (2 x 3) and 4 / (2 x 1). */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            columns.weight = w                                       | 1.0, 2.0, 0.5, 1.0
            class-weights { y = 3 }                                  | 1.0, 1.0, 1.0, 3.0
            class-weights { y = 3 }, columns.weight = w              | 1.0, 2.0, 0.5, 3.0
            balance-classes = true                                   | 0.6667, 0.6667, 0.6667, 2.0
            balance-classes = true, class-weights { y = 3 }          | 0.6667, 0.6667, 0.6667, 6.0
            """)
    void storesTheWeightsOfRows(String corpus, String weights) throws IOException {
        Path file = write("weights.csv", "text,label,w\na,x,1\nb,x,2\nc,x,5e-1\nd,y,1\n");
        String settings = "task = classification, corpus.path = \"" + file + "\", corpus { " + corpus + " }";
        PreparedCorpus prepared = prepare(settings);
        assertEquals(weights, weights(prepared));
        TrainedModel start =
                new TrainedModel(null, settings(settings), prepared.vocabularies(), new float[0], new float[0]);
        assertEquals(weights, weights(prepare(settings + ", corpus.prepared = " + quoted("warm"), Optional.of(start))));

        Path unweighted = write("unweighted.csv", "text,label\na,x\nb,y\n");
        assertEquals(2, evaluate(settings, unweighted).loss().tokens());
    }

    /** @return the weights in the order of the texts */
    private static String weights(PreparedCorpus corpus) throws IOException {
        SequenceStore store = ((ExampleSource) corpus.source()).store();
        try (SequenceReader reader = store.open(session.hadoop())) {
            return reader.examples(0, store.index().sequences()).stream()
                    .sorted(Comparator.comparing(example -> corpus.vocabularies()
                            .tokens()
                            .symbol(example.source().toInts()[0])))
                    .map(example -> Float.toString(Math.round(example.weight() * 1e4f) / 1e4f))
                    .collect(Collectors.joining(", "));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            class-weights { z = 2 }                       | corpus.class-weights has the label z, which no row of the training part has; the labels are x, y.
            class-weights { x = -2 }                      | corpus.class-weights.x is -2.0; it must be from 0 to 1e9.
            class-weights { x = much }                    | corpus.class-weights.x is much; it must be a number.
            class-weights { x.y = -1 }                    | test:2: corpus.class-weights.x.y is -1.0; it must be from 0
            columns.weight = label, malformed = skip      | 2 rows are malformed: 2 x its weight is not a number from 0 to 1e9.
            class-weights { x = 0, y = 0 }                | all rows of the training part have the weight 0
            columns.weight = w                            | its weight, many, is not a number from 0 to 1e9. Correct the row
            columns.weight = v                            | has no column v (corpus.columns.weight); its columns are text, label, w.
            columns { weight = w, document = text, order = w } | corpus.columns.weight is w; it must be empty if corpus.columns.document is set
            """)
    void weightsThatDoNotFitAreRefused(String corpus, String message) throws IOException {
        Path file = write("odd-weights.csv", "text,label,w\na,x,1\nb,y,many\n");
        String problem = assertThrows(
                        UnrollException.class,
                        () -> prepare(
                                "task = classification, corpus.path = \"" + file + "\", corpus { " + corpus + " }"))
                .getMessage();
        assertTrue(problem.contains(message), problem);
    }

    /** Copies of a text have different weights, in two orders. */
    @Test
    void weightsDoNotDecideWhatIsHeldOut() throws IOException {
        String settings = "corpus { documents = reset, validation = 0.3, columns.weight = w, path = \"";
        List<String> texts =
                IntStream.range(0, 60).mapToObj(i -> "text " + i % 20).toList();
        List<List<String>> held = new ArrayList<>();
        List<PreparedCorpus> corpora = new ArrayList<>();
        for (int shift : new int[] {0, 30, 7}) {
            String rows = IntStream.range(0, 60)
                    .map(i -> (i + shift) % 60)
                    .mapToObj(i -> texts.get(i) + "," + (shift == 7 ? 1e-30 * (i + 1) : i * 10 + 1) + "\n")
                    .collect(Collectors.joining());
            Path file = write("shift-" + shift + ".csv", "text,w\n" + rows);
            PreparedCorpus corpus = prepare(settings + file + "\" }");
            corpora.add(corpus);
            held.add(heldOut(corpus));
        }
        assertEquals(18, held.get(0).size(), 1);
        assertEquals(held.get(0), held.get(2));
        assertEquals(held.get(0), held.get(1));
        assertEquals(
                corpora.get(0).source().contentHash(), corpora.get(1).source().contentHash());
        assertNotEquals(
                corpora.get(0).source().contentHash(), corpora.get(2).source().contentHash());
    }

    private static List<String> heldOut(PreparedCorpus corpus) throws IOException {
        SequenceStore store = ((ExampleSource) corpus.source()).store();
        try (SequenceReader reader = store.open(session.hadoop())) {
            return reader
                    .examples(
                            store.index().sequences(SequenceIndex.Section.TRAINING),
                            store.index().sequences())
                    .stream()
                    .map(example -> Arrays.toString(example.target()))
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            balance-classes = true   | corpus.balance-classes is true; it must be false, unless task is classification.
            class-weights.x = 2      | corpus.class-weights.x is 2.0; it must be left out, unless task is classification.
            columns.weight = w       | corpus.columns.weight is w, but the corpus is one text, whose rows have no weights
            """)
    void oneTextHasNoWeights(String corpus, String message) throws IOException {
        Path file = write("one-text.txt", "a text\n");
        String problem = assertThrows(
                        UnrollException.class,
                        () -> prepare("corpus.path = \"" + file + "\", corpus { " + corpus + " }"))
                .getMessage();
        assertTrue(problem.contains(message), problem);
    }

    /** A value that cannot be converted makes its row malformed; the columns of the Parquet table have types. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            task = classification, corpus.columns.weight = w      | its weight is not a number from 0 to 1e9
            task = classification, corpus.columns.label = number  | the row has no label
            task = classification, corpus.split-by = part         | its part is unknown
            corpus { documents = reset, session-gap = 1h, columns { document = label, order = time } } | its order is not a time
            corpus { documents = reset, columns.text = number }   | the row has no text
            """)
    void ansiModeSkipsTheSameRows(String settings, String reason) throws Exception {
        Path table = folder.resolve("ansi-" + Integer.toHexString(settings.hashCode()) + ".parquet");
        session.sql()
                .sql("SELECT * FROM VALUES ('a', 'x', '1', 7.5, 'train', '2026-11-01'),"
                        + " ('b', 'y', '2e0', 0.00000001, 'train', '2026-11-01 10:00:00'),"
                        + " ('c', 'y', 'many', null, 'none', '2026-13-01') AS t(text, label, w, number, part, time)")
                .write()
                .parquet(table.toString());
        String all = "corpus.malformed = skip, corpus.path = \"" + table + "\", " + settings;
        List<PreparedCorpus> prepared = new ArrayList<>();
        for (boolean ansi : new boolean[] {false, true}) {
            prepared.add(inAnsiMode(ansi, () -> prepare(all + ", corpus.prepared = " + quoted("ansi-" + ansi))));
        }
        assertEquals(
                prepared.get(0).source().contentHash(), prepared.get(1).source().contentHash());
        for (PreparedCorpus corpus : prepared) {
            assertEquals(Map.of(reason, 1L), corpus.size().skipped());
            assertEquals(2L, corpus.size().counts().get("examples"));
        }
    }

    private static Score evaluate(String text, Path file) throws IOException {
        Settings settings = settings(text);
        PreparedCorpus corpus = CorpusPreparation.of(session, settings, Task.of(settings), Optional.empty())
                .prepare();
        TrainedModel untrained = new TrainedModel(null, settings, corpus.vocabularies(), new float[0], new float[0]);
        try (Network network = new Network(untrained.shape(), 1)) {
            TrainedModel model =
                    new TrainedModel(null, settings, corpus.vocabularies(), network.parameters(), new float[0]);
            return Evaluation.of(session, model, List.of(file.toString()), 1).orElseThrow();
        }
    }

    private static PreparedCorpus prepare(String text) throws IOException {
        return prepare(text, Optional.empty());
    }

    private static PreparedCorpus prepare(String text, Optional<TrainedModel> warmStart) throws IOException {
        Settings settings = settings(text);
        return CorpusPreparation.of(session, settings, Task.of(settings), warmStart)
                .prepare();
    }

    private static Settings settings(String text) {
        return SettingsReader.parse(
                "run.directory = " + quoted("run") + ", corpus { validation = 0, test = 0 }, model { hidden = 4 }\n"
                        + text,
                "test");
    }

    private static String quoted(String name) {
        return "\"" + folder.resolve(name) + "\"";
    }

    private static Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }
}
