package io.unroll.peers;

import static org.apache.spark.sql.functions.col;

import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.spark.CorpusPreparation;
import io.unroll.spark.Session;
import io.unroll.task.Task;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import org.apache.hadoop.fs.FileSystem;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;

/**
 * Compares the preparation of a corpus (hash, vocabulary, tokens) with Spark's own work on the same files, in turns: for
 * one text with {@code spark.read().text(path).count()}, the least work that Spark can do on it; for documents, one per
 * line, with sorting the lines by range and writing them to Parquet.
 */
public final class PrepareBenchmark {
    private final Session session;
    private final SparkSession spark;
    private final String path;
    private final String tokenizer;
    private final boolean documents;
    private final double megabytes;

    private PrepareBenchmark(Session session, String path, String tokenizer, boolean documents) throws IOException {
        this.session = session;
        this.spark = SparkSession.builder().getOrCreate();
        this.path = path;
        this.tokenizer = tokenizer;
        this.documents = documents;
        var source = new org.apache.hadoop.fs.Path(path);
        this.megabytes =
                source.getFileSystem(session.hadoop()).getContentSummary(source).getLength() / 1e6;
    }

    /** @param args a file or folder, the number of turns, a tokenizer, and {@code documents} for documents */
    public static void main(String[] args) throws IOException {
        int turns = args.length > 1 ? Integer.parseInt(args[1]) : 3;
        try (Session session = Session.start("prepare benchmark", 1)) {
            String tokenizer = args.length > 2 ? args[2] : "char";
            new PrepareBenchmark(session, args[0], tokenizer, args.length > 3).run(turns);
        }
    }

    private void run(int turns) throws IOException {
        int cores = spark.sparkContext().defaultParallelism();
        System.out.printf(Locale.ROOT, "%s: %,.0f MB on %d cores%n", path, megabytes, cores);
        System.out.printf("%5s %18s %18s %8s%n", "turn", "Spark, MB/s/core", "prepare, MB/s/core", "ratio");
        for (int turn = 1; turn <= turns; turn++) {
            double sparkSeconds = seconds(documents ? this::sort : this::count);
            double prepareSeconds = seconds(this::prepare);
            System.out.printf(
                    Locale.ROOT,
                    "%5d %18.1f %18.1f %8.2f%n",
                    turn,
                    megabytes / sparkSeconds / cores,
                    megabytes / prepareSeconds / cores,
                    prepareSeconds / sparkSeconds);
        }
    }

    private interface Work {
        void run() throws IOException;
    }

    private static double seconds(Work work) throws IOException {
        long start = System.nanoTime();
        work.run();
        return (System.nanoTime() - start) / 1e9;
    }

    private void count() {
        spark.read().option("recursiveFileLookup", true).text(path).count();
    }

    private void sort() throws IOException {
        Path sorted = Files.createTempDirectory("prepare-benchmark");
        spark.read()
                .option("recursiveFileLookup", true)
                .text(path)
                .repartitionByRange(col("value"))
                .sortWithinPartitions("value")
                .write()
                .mode(SaveMode.Overwrite)
                .parquet(sorted.toString());
        delete(sorted);
    }

    private void prepare() throws IOException {
        Path prepared = Files.createTempDirectory("prepare-benchmark");
        Settings settings = SettingsReader.parse(
                String.format(
                        "run.directory = none, corpus { path = \"%s\", prepared = \"%s\", tokenizer = %s, format = %s, malformed = %s,"
                                + " documents = %s }",
                        path,
                        prepared,
                        tokenizer,
                        documents ? "lines" : "auto",
                        documents ? "skip" : "replace",
                        documents ? "reset" : "stream"),
                "benchmark");
        CorpusPreparation.of(session, settings, Task.of(settings), Optional.empty())
                .prepare();
        delete(prepared);
    }

    private void delete(Path folder) throws IOException {
        FileSystem.getLocal(session.hadoop()).delete(new org.apache.hadoop.fs.Path(folder.toUri()), true);
    }
}
