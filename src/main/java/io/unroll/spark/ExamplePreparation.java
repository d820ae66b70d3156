package io.unroll.spark;

import io.unroll.checkpoint.WritableFolder;
import io.unroll.chunk.ExampleIndex;
import io.unroll.chunk.ExampleReader;
import io.unroll.chunk.ExampleSource;
import io.unroll.chunk.ExampleWriter;
import io.unroll.config.ConfigurationException;
import io.unroll.config.SettingNames;
import io.unroll.config.Settings;
import io.unroll.model.Loss;
import io.unroll.task.Examples;
import io.unroll.task.Score;
import io.unroll.task.Task;
import io.unroll.text.CorpusFiles;
import io.unroll.text.Row;
import io.unroll.text.RowFormat;
import io.unroll.text.Slice;
import io.unroll.text.Vocabularies;
import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.LongStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.storage.StorageLevel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.Tuple2;

/**
 * Converts rows to vocabularies and files of examples. The hash of a row's group assigns the row to training,
 * validation or test, and determines its place in the files: a shuffle sorts the examples by it.
 */
final class ExamplePreparation extends CorpusPreparation {
    private static final Logger LOG = LoggerFactory.getLogger(ExamplePreparation.class);
    private static final long PART_BYTES = 16L << 20;

    private final Settings settings;
    private final Task task;
    private final Examples examples;
    private final Rows rows;

    ExamplePreparation(Session session, Settings settings, Task task, Optional<Vocabularies> givenVocabularies) {
        super(session, settings.corpus(), givenVocabularies);
        this.settings = settings;
        this.task = task;
        this.examples = task.examples().orElseThrow();
        this.rows = new Rows(
                new RowFormat(corpus, examples.columns()),
                corpus.images(),
                corpus.malformed() == Settings.Malformed.SKIP);
    }

    private List<List<Slice>> files(String path) {
        List<List<Slice>> files = CorpusFiles.wholeFiles(path, PART_BYTES, session.hadoop());
        rows.format().check(files.stream().flatMap(List::stream).toList());
        return files;
    }

    private List<List<Slice>> auxiliaryFiles(Examples.Files auxiliary) {
        try {
            return CorpusFiles.wholeFiles(auxiliary.path(), PART_BYTES, session.hadoop());
        } catch (ConfigurationException e) {
            throw new ConfigurationException(auxiliary.key() + ": " + e.getMessage(), e);
        }
    }

    @Override
    String corpusHash() {
        return hashWithNames(files(corpus.path()));
    }

    /** @return a hash of the content of all files, and of what their names say about the rows: format and label */
    private String hashWithNames(List<List<Slice>> files) {
        StringBuilder content = new StringBuilder(hash(files));
        files.stream().flatMap(List::stream).forEach(file -> content.append('\n')
                .append(rows.format().formatAndLabel(file.file())));
        for (Examples.Files auxiliary : examples.auxiliaryFiles()) {
            List<List<Slice>> auxiliaryFiles = auxiliaryFiles(auxiliary);
            content.append('\n').append(hash(auxiliaryFiles));
            if (auxiliary.namesMatter()) {
                auxiliaryFiles.stream().flatMap(List::stream).forEach(file -> content.append('\n')
                        .append(new Path(file.file()).getName()));
            }
        }
        return HexFormat.of().formatHex(sha256().digest(content.toString().getBytes(StandardCharsets.UTF_8)));
    }

    @Override
    public PreparedCorpus prepare() throws IOException {
        List<List<Slice>> files = files(corpus.path());
        String hash = hashWithNames(files);
        Path folder = folder(
                SettingNames.kebab(settings.task()),
                hash,
                examples.cacheKey(),
                corpus.malformed(),
                corpus.validation(),
                corpus.test(),
                corpus.format(),
                corpus.header(),
                examples.columns().stream().map(corpus.columns()::get).toList());
        boolean found = isPrepared(folder, task.vocabularies(), () -> problem(folder, hash));
        if (!found) {
            WritableFolder.check(folder.toString(), "corpus.prepared", session.hadoop());
            examples.check(session.hadoop());
            JavaRDD<TaskResult<UsableRow>> usableRows = readRows(files).persist(StorageLevel.DISK_ONLY());
            try {
                writePrepared(files, usableRows, folder, hash);
            } finally {
                usableRows.unpersist(true);
            }
        }
        ExampleIndex index = readIndex(ExampleIndex.FILE, folder);
        return new PreparedCorpus(
                folder.toString(),
                Vocabularies.read(fs(), folder, task.vocabularies()),
                new ExampleSource(
                        folder.toString(),
                        index,
                        examples,
                        settings.training().batch(),
                        settings.run().seed()),
                found);
    }

    /** @return what is wrong with the prepared files; empty if nothing is */
    private String problem(Path folder, String hash) throws IOException {
        ExampleIndex index = readIndex(ExampleIndex.FILE, folder);
        Vocabularies vocabularies = Vocabularies.read(fs(), folder, task.vocabularies());
        vocabularies.checkPrefixes(task.vocabularyPrefixes(), "the settings");
        String problem = index.problem(hash, vocabularies);
        if (!problem.isEmpty()) {
            return problem;
        }
        var hadoop = session.hadoopBroadcast();
        Broadcast<Vocabularies> vocabularyBroadcast = session.broadcast(vocabularies);
        Examples format = examples;
        String source = folder.toString();
        return firstProblem(session.map(
                CHECK_DESCRIPTION,
                index.parts(),
                part -> ExampleReader.problem(
                        source,
                        part,
                        example -> format.isExample(example, vocabularyBroadcast.value()),
                        hadoop.value().value())));
    }

    /**
     * A row that is not malformed.
     *
     * @param content values read from the files that the row names, such as pixels
     */
    private record UsableRow(Row row, int[] content) implements Serializable {}

    /** @return all rows; null for each row that is skipped */
    private JavaRDD<TaskResult<UsableRow>> readRows(List<List<Slice>> files) {
        var hadoop = session.hadoopBroadcast();
        Examples format = examples;
        Rows reader = rows;
        Broadcast<Vocabularies> vocabularyBroadcast =
                givenVocabularies.map(session::broadcast).orElse(null);
        session.describe("prepare: check rows", "read rows");
        return session.parallelize(files)
                .flatMap(part -> reader.map(part, hadoop.value().value(), (row, rowFiles) -> {
                    int[] content = format.read(row, rowFiles);
                    if (vocabularyBroadcast != null) {
                        format.check(row, vocabularyBroadcast.value());
                    }
                    return new UsableRow(row, content);
                }));
    }

    private void writePrepared(
            List<List<Slice>> files, JavaRDD<TaskResult<UsableRow>> usableRows, Path folder, String hash)
            throws IOException {
        GroupHashes groupHashes = groupHashes(usableRows);
        if (groupHashes.rows() == 0) {
            throw new ConfigurationException(corpus.path() + " contains no usable rows"
                    + (groupHashes.skipped() > 0 ? "; " + groupHashes.skipped() + " rows are malformed." : "."));
        }
        long bytes = groupHashes.rows() * examples.extraBytesPerExample()
                + files.stream().flatMap(List::stream).mapToLong(Slice::length).sum();
        StratifiedGroupSplit split = StratifiedGroupSplit.of(
                groupHashes.groups(), corpus.validation(), corpus.test(), 1 + bytes / PART_BYTES);
        split.checkValidation(corpus.validation());
        Broadcast<StratifiedGroupSplit> splitBroadcast = session.broadcast(split);
        Vocabularies vocabularies =
                givenVocabularies.orElseGet(() -> examples.vocabularies(count(usableRows, splitBroadcast)));
        createFolder(folder);
        ExampleIndex index = encode(usableRows, vocabularies, splitBroadcast, folder, hash, groupHashes.skipped());
        publish(folder, vocabularies, ExampleIndex.FILE, index.withChecksumOf(vocabularies));
    }

    /** @return the task's result for each partition */
    private <T> List<T> mapPartitions(
            JavaRDD<TaskResult<UsableRow>> usableRows,
            String description,
            FlatMapFunction<Iterator<TaskResult<UsableRow>>, TaskResult<T>> task) {
        session.describe(description, description);
        return usableRows.mapPartitions(task).collect().stream()
                .map(TaskResult::orThrow)
                .toList();
    }

    private GroupHashes groupHashes(JavaRDD<TaskResult<UsableRow>> usableRows) {
        Examples format = examples;
        GroupHashes total = new GroupHashes(Map.of(), 0);
        mapPartitions(usableRows, "prepare: check rows", rows -> List.of(TaskResult.of(() -> groupHashes(rows, format)))
                        .iterator())
                .forEach(total::add);
        return total;
    }

    private static GroupHashes groupHashes(Iterator<TaskResult<UsableRow>> rows, Examples format) {
        Map<String, LongStream.Builder> hashes = new TreeMap<>();
        long skipped = 0;
        while (rows.hasNext()) {
            UsableRow usable = rows.next().orThrow();
            if (usable == null) {
                skipped++;
            } else {
                hashes.computeIfAbsent(format.stratum(usable.row()), any -> LongStream.builder())
                        .add(StratifiedGroupSplit.hash(format.group(usable.row())));
            }
        }
        Map<String, long[]> groups = new TreeMap<>();
        hashes.forEach((stratum, builder) -> groups.put(stratum, builder.build().toArray()));
        return new GroupHashes(groups, skipped);
    }

    /** @return by vocabulary, how often each symbol occurs in the training rows */
    private Map<String, Map<String, Long>> count(
            JavaRDD<TaskResult<UsableRow>> usableRows, Broadcast<StratifiedGroupSplit> splitBroadcast) {
        Examples format = examples;
        Map<String, Map<String, Long>> total = new TreeMap<>();
        mapPartitions(usableRows, "prepare: count symbols", rows -> List.of(
                                TaskResult.of(() -> count(rows, format, splitBroadcast.value())))
                        .iterator())
                .forEach(counts -> counts.forEach((name, counted) -> counted.forEach((symbol, count) ->
                        total.computeIfAbsent(name, any -> new TreeMap<>()).merge(symbol, count, Long::sum))));
        return total;
    }

    private static Map<String, Map<String, Long>> count(
            Iterator<TaskResult<UsableRow>> rows, Examples format, StratifiedGroupSplit split) {
        Map<String, Map<String, Long>> counts = new TreeMap<>();
        while (rows.hasNext()) {
            UsableRow usable = rows.next().orThrow();
            if (usable != null && split.isTraining(format.stratum(usable.row()), format.group(usable.row()))) {
                format.count(usable.row(), counts);
            }
        }
        return counts;
    }

    /** Sort key of an example; file and row are those of the corpus and make the order unique. */
    private record ExampleKey(int part, long order, String file, long row) implements Serializable {
        static int compare(ExampleKey a, ExampleKey b) {
            return Comparator.comparingInt(ExampleKey::part)
                    .thenComparingLong(ExampleKey::order)
                    .thenComparing(ExampleKey::file)
                    .thenComparingLong(ExampleKey::row)
                    .compare(a, b);
        }
    }

    /**
     * @param longest maximum number of time steps of an example
     * @param tokens total number of time steps
     */
    private record WrittenFile(ExampleIndex.Part part, int longest, long tokens) implements Serializable {}

    private ExampleIndex encode(
            JavaRDD<TaskResult<UsableRow>> usableRows,
            Vocabularies vocabularies,
            Broadcast<StratifiedGroupSplit> splitBroadcast,
            Path folder,
            String hash,
            long skipped)
            throws IOException {
        var hadoop = session.hadoopBroadcast();
        Broadcast<Vocabularies> vocabularyBroadcast = session.broadcast(vocabularies);
        Examples format = examples;
        String target = folder.toString();
        session.describe("prepare: encode", "encode rows");
        JavaPairRDD<ExampleKey, int[]> encoded = usableRows
                .map(TaskResult::orThrow)
                .filter(Objects::nonNull)
                .mapToPair(usable -> {
                    Row row = usable.row();
                    int[] example = format.encode(row, usable.content(), vocabularyBroadcast.value());
                    StratifiedGroupSplit.Position position =
                            splitBroadcast.value().position(format.stratum(row), format.group(row));
                    ExampleKey key = new ExampleKey(position.part(), position.order(), row.file(), row.number());
                    return new Tuple2<>(key, example);
                });
        session.describe("prepare: encode", "write examples");
        List<WrittenFile> written = encoded
                .repartitionAndSortWithinPartitions(
                        splitBroadcast.value().partitioner(ExampleKey::part),
                        (Comparator<ExampleKey> & Serializable) ExampleKey::compare)
                .mapPartitionsWithIndex(
                        (number, sorted) -> List.of(TaskResult.of(() -> write(
                                        number,
                                        sorted,
                                        format,
                                        target,
                                        hadoop.value().value())))
                                .iterator(),
                        true)
                .collect()
                .stream()
                .map(TaskResult::orThrow)
                .toList();
        for (WrittenFile file : written) {
            checkShared(new Path(folder, file.part().file()), 0, Long.MAX_VALUE);
        }
        return splitBroadcast
                .value()
                .index(
                        hash,
                        written.stream().map(WrittenFile::part).toList(),
                        written.stream().mapToInt(WrittenFile::longest).max().orElse(0),
                        written.stream().mapToLong(WrittenFile::tokens).sum(),
                        skipped);
    }

    private static WrittenFile write(
            int number,
            Iterator<Tuple2<ExampleKey, int[]>> sorted,
            Examples format,
            String folder,
            Configuration hadoop)
            throws IOException {
        Path file = new Path(folder, String.format(Locale.ROOT, "examples-%05d-%s.bin", number, UUID.randomUUID()));
        int longest = 0;
        long tokens = 0;
        try (ExampleWriter writer = new ExampleWriter(PreparedFileOutput.create(file, hadoop))) {
            while (sorted.hasNext()) {
                int[] example = sorted.next()._2();
                writer.write(example);
                longest = Math.max(longest, format.steps(example));
                tokens += format.steps(example);
            }
            return new WrittenFile(
                    new ExampleIndex.Part(file.getName(), writer.examples(), writer.checksum()), longest, tokens);
        }
    }

    @Override
    Optional<Score> evaluate(Evaluation evaluation, Vocabularies vocabularies, List<String> paths) {
        List<List<Slice>> files =
                paths.stream().flatMap(path -> files(path).stream()).toList();
        var hadoop = session.hadoopBroadcast();
        Broadcast<Vocabularies> vocabularyBroadcast = evaluation.broadcast(vocabularies);
        var skipped = session.counter("rows skipped");
        int lanes = settings.training().batch();
        Examples format = examples;
        Rows reader = rows;
        Optional<Score> score = evaluation.score("evaluate", files, part -> {
            List<int[]> encoded = new ArrayList<>();
            reader.map(
                            part,
                            hadoop.value().value(),
                            (row, rowFiles) ->
                                    format.encode(row, format.read(row, rowFiles), vocabularyBroadcast.value()))
                    .forEachRemaining(example -> encoded.add(example.orThrow()));
            skipped.add(encoded.stream().filter(Objects::isNull).count());
            encoded.removeIf(Objects::isNull);
            return ExampleSource.batches(encoded, format, lanes);
        });
        if (skipped.value() > 0) {
            LOG.warn("skipped {} malformed rows", skipped.value());
        }
        return score.map(total -> new ScoreWithSkipped(total, skipped.value()));
    }

    /** @param skipped number of malformed rows */
    private record ScoreWithSkipped(Score score, long skipped) implements Score {
        @Override
        public Loss loss() {
            return score.loss();
        }

        @Override
        public Score plus(Score other) {
            ScoreWithSkipped that = (ScoreWithSkipped) other;
            return new ScoreWithSkipped(score.plus(that.score), skipped + that.skipped);
        }

        @Override
        public Map<String, Object> metrics(Vocabularies vocabularies) {
            Map<String, Object> metrics = new LinkedHashMap<>();
            metrics.put("skipped", skipped);
            metrics.putAll(score.metrics(vocabularies));
            return metrics;
        }
    }
}
