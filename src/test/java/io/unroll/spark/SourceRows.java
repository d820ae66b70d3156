package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.unroll.checkpoint.TrainedModel;
import io.unroll.task.Score;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import javax.imageio.ImageIO;
import org.apache.spark.sql.Dataset;

/** Rows that all tasks can learn from any source, and the models of the same rows in a CSV file. */
final class SourceRows {
    static final int COUNT = 40;

    /** Settings by task. */
    static final Map<String, String> TASKS = Map.of(
            "stream", "task = language-model",
            "stream without order", "task = language-model, corpus.columns.order = \"\"",
            "documents", "task = language-model, corpus.documents = reset",
            "classification", "task = classification",
            "seq2seq", "task = seq2seq",
            "captioning", "task = captioning, corpus.images = \"%s/images\", model.image.side = 8");

    record Item(int id, String text, String label, String image) {}

    final List<Item> items = new ArrayList<>();
    private final Session session;
    private final Path folder;
    private final Map<String, TrainedModel> models = new HashMap<>();

    /** Writes {@code rows.csv} and the folder {@code images}. The label of the first half is not the number 7. */
    SourceRows(Session session, Path folder) throws IOException {
        this.session = session;
        this.folder = folder;
        Files.createDirectory(folder.resolve("images"));
        SplittableRandom random = new SplittableRandom(3);
        for (int id = 0; id < COUNT; id++) {
            StringBuilder text = new StringBuilder(id % 5 == 0 ? "\"\u00f6\", " : "");
            for (int length = 3 + random.nextInt(7); length > 0; length--) {
                text.append((char) ('a' + random.nextInt(4)));
            }
            BufferedImage image = new BufferedImage(8, 8, BufferedImage.TYPE_INT_RGB);
            image.setRGB(id % 8, id / 8, random.nextInt());
            ImageIO.write(image, "png", folder.resolve("images/" + id + ".png").toFile());
            items.add(new Item(id, text.toString(), id < COUNT / 2 ? "007" : "x", id + ".png"));
        }
        Files.writeString(
                folder.resolve("rows.csv"),
                items.stream()
                        .map(item -> item.id() + ",\"" + item.text().replace("\"", "\"\"") + "\"," + item.label() + ","
                                + item.image())
                        .collect(Collectors.joining("\n", "id,text,label,image\n", "\n")));
    }

    /** @return the rows, in several partitions and in another order */
    Dataset<org.apache.spark.sql.Row> data() {
        return session.sql()
                .read()
                .schema("id LONG, text STRING, label STRING, image STRING")
                .option("header", true)
                .option("escape", "\"")
                .csv(folder + "/rows.csv")
                .repartition(3);
    }

    /** @param corpus settings of the source */
    TrainedModel train(String source, String corpus, String task) throws IOException {
        return new TestRuns(session)
                .train(
                        """
                run { directory = "%1$s/runs/%2$s", checkpoint.every = 0 }
                corpus { validation = 0.1, test = 0, columns { source = text, target = label, caption = label, order = id } }
                corpus { %3$s }
                model { hidden = 4, layers = 1 }
                training { epochs = 1, batch = 2, tbptt = 8 }
                cluster.replicas = 1
                """
                                        .formatted(folder, source + "/" + task, corpus)
                                + TASKS.get(task).formatted(folder));
    }

    /**
     * Trains a model for one round and evaluates it on its source.
     *
     * @param corpus settings of the source
     * @param texts number of texts that the evaluation of a stream distinguishes
     */
    void assertTrainsTheSameModelAsCsv(String source, String corpus, String task, int texts) throws IOException {
        if (!models.containsKey(task)) {
            models.put(task, train("reference", "path = \"" + folder + "/rows.csv\", format = csv", task));
        }
        TrainedModel expected = models.get(task);
        TrainedModel model = train(source, corpus, task);
        assertEquals(expected.vocabularies().symbols(), model.vocabularies().symbols());
        assertArrayEquals(expected.parameters(), model.parameters());
        assertEquals(expected.manifest().validationLoss(), model.manifest().validationLoss());

        String path = model.settings().corpus().path();
        Score score = Evaluation.of(session, model, path.isEmpty() ? List.of() : List.of(path), 1)
                .orElseThrow();
        assertEquals(tokens(task, texts), score.loss().tokens());
    }

    /** @return the number of tokens that are predicted, with end tokens and line ends */
    private int tokens(String task, int texts) {
        return switch (task) {
            case "stream" -> textTokens() - texts;
            case "documents" -> textTokens();
            case "classification" -> COUNT;
            default -> items.stream()
                    .mapToInt(item -> item.label().length() + 1)
                    .sum();
        };
    }

    private int textTokens() {
        return items.stream().mapToInt(item -> item.text().length() + 1).sum();
    }
}
