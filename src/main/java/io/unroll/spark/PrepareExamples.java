package io.unroll.spark;

import io.unroll.checkpoint.WritableFolder;
import io.unroll.chunk.ExampleIndex;
import io.unroll.chunk.ExampleReader;
import io.unroll.chunk.ExampleSource;
import io.unroll.chunk.ExampleWriter;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.config.Words;
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
 * Rows become vocabularies and example files. The rows' groups are hashed: the hash decides between training,
 * validation and test, and is the order in which examples are written, which Spark's shuffle brings about.
 */
final class PrepareExamples extends Prepare {
    private static final Logger LOG = LoggerFactory.getLogger(PrepareExamples.class);
    private static final long PART_BYTES = 16L << 20;

    private final Settings settings;
    private final Task task;
    private final Examples examples;
    private final Rows rows;

    PrepareExamples(Session session, Settings settings, Task task, Optional<Vocabularies> given) {
        super(session, settings.corpus(), given);
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

    private List<List<Slice>> filesOf(Examples.Files beside) {
        try {
            return CorpusFiles.wholeFiles(beside.path(), PART_BYTES, session.hadoop());
        } catch (ConfigurationException e) {
            throw new ConfigurationException(beside.key() + ": " + e.getMessage(), e);
        }
    }

    @Override
    String corpusHash() {
        return hashWithNames(files(corpus.path()));
    }

    /** @return a hash of content, and of what of the files' names decides rows */
    private String hashWithNames(List<List<Slice>> files) {
        StringBuilder all = new StringBuilder(hash(files));
        files.stream().flatMap(List::stream).forEach(file -> all.append('\n')
                .append(rows.format().nameThatMatters(file.file())));
        for (Examples.Files beside : examples.files()) {
            List<List<Slice>> others = filesOf(beside);
            all.append('\n').append(hash(others));
            if (beside.named()) {
                others.stream().flatMap(List::stream).forEach(file -> all.append('\n')
                        .append(new Path(file.file()).getName()));
            }
        }
        return HexFormat.of().formatHex(sha256().digest(all.toString().getBytes(StandardCharsets.UTF_8)));
    }

    @Override
    public PreparedCorpus prepare() throws IOException {
        List<List<Slice>> files = files(corpus.path());
        String hash = hashWithNames(files);
        Path folder = folder(
                Words.kebab(settings.task()),
                hash,
                examples.key(),
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
            JavaRDD<Outcome<Read>> read = read(files).persist(StorageLevel.DISK_ONLY());
            try {
                make(files, read, folder, hash);
            } finally {
                read.unpersist(true);
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

    /** @return what is wrong with what is prepared; empty where nothing is */
    private String problem(Path folder, String hash) throws IOException {
        ExampleIndex index = readIndex(ExampleIndex.FILE, folder);
        Vocabularies vocabularies = Vocabularies.read(fs(), folder, task.vocabularies());
        vocabularies.checkStart(task.startOfVocabularies(), "the settings");
        String problem = index.problem(hash, vocabularies);
        if (!problem.isEmpty()) {
            return problem;
        }
        var hadoop = session.hadoopBroadcast();
        Broadcast<Vocabularies> symbols = session.broadcast(vocabularies);
        Examples format = examples;
        String source = folder.toString();
        return firstProblem(session.map(
                CHECK,
                index.parts(),
                part -> ExampleReader.problem(
                        source,
                        part,
                        example -> format.isExample(example, symbols.value()),
                        hadoop.value().value())));
    }

    /** A row that can be used, and what its files hold. */
    private record Read(Row row, int[] content) implements Serializable {}

    /** @return each row, read once; null where it is left out */
    private JavaRDD<Outcome<Read>> read(List<List<Slice>> files) {
        var hadoop = session.hadoopBroadcast();
        Examples format = examples;
        Rows reading = rows;
        Broadcast<Vocabularies> symbols = given.map(session::broadcast).orElse(null);
        session.name("prepare: check rows", "read rows");
        return session.parallelize(files)
                .flatMap(part -> reading.map(part, hadoop.value().value(), (row, named) -> {
                    int[] content = format.read(row, named);
                    if (symbols != null) {
                        format.check(row, symbols.value());
                    }
                    return new Read(row, content);
                }));
    }

    private void make(List<List<Slice>> files, JavaRDD<Outcome<Read>> read, Path folder, String hash)
            throws IOException {
        Tally tally = tally(read);
        if (tally.rows() == 0) {
            throw new ConfigurationException(corpus.path() + " holds no row that can be used"
                    + (tally.skipped() > 0 ? "; " + tally.skipped() + " are malformed." : "."));
        }
        long bytes = tally.rows() * examples.sourceBytes()
                + files.stream().flatMap(List::stream).mapToLong(Slice::length).sum();
        Division parts = Division.of(tally.groups(), corpus.validation(), corpus.test(), 1 + bytes / PART_BYTES);
        parts.checkValidation(corpus.validation());
        Broadcast<Division> division = session.broadcast(parts);
        Vocabularies vocabularies = given.orElseGet(() -> examples.vocabularies(count(read, division)));
        makeFolder(folder);
        ExampleIndex made = encode(read, vocabularies, division, folder, hash, tally.skipped());
        publish(folder, vocabularies, ExampleIndex.FILE, made.with(vocabularies));
    }

    /** @return what is found of each of Spark's parts of the rows */
    private <T> List<T> each(
            JavaRDD<Outcome<Read>> read,
            String description,
            FlatMapFunction<Iterator<Outcome<Read>>, Outcome<T>> task) {
        session.name(description, description);
        return read.mapPartitions(task).collect().stream().map(Outcome::orThrow).toList();
    }

    private Tally tally(JavaRDD<Outcome<Read>> read) {
        Examples format = examples;
        Tally all = new Tally(Map.of(), 0);
        each(read, "prepare: check rows", rows -> List.of(Outcome.of(() -> tally(rows, format)))
                        .iterator())
                .forEach(all::add);
        return all;
    }

    private static Tally tally(Iterator<Outcome<Read>> rows, Examples format) {
        Map<String, LongStream.Builder> hashes = new TreeMap<>();
        long skipped = 0;
        while (rows.hasNext()) {
            Read read = rows.next().orThrow();
            if (read == null) {
                skipped++;
            } else {
                hashes.computeIfAbsent(format.stratum(read.row()), any -> LongStream.builder())
                        .add(Division.hash(format.group(read.row())));
            }
        }
        Map<String, long[]> own = new TreeMap<>();
        hashes.forEach((stratum, found) -> own.put(stratum, found.build().toArray()));
        return new Tally(own, skipped);
    }

    /** @return how often each symbol occurs in what is trained on */
    private Map<String, Map<String, Long>> count(JavaRDD<Outcome<Read>> read, Broadcast<Division> division) {
        Examples format = examples;
        Map<String, Map<String, Long>> all = new TreeMap<>();
        each(read, "prepare: count symbols", rows -> List.of(Outcome.of(() -> count(rows, format, division.value())))
                        .iterator())
                .forEach(counts -> counts.forEach((name, counted) -> counted.forEach((symbol, count) ->
                        all.computeIfAbsent(name, any -> new TreeMap<>()).merge(symbol, count, Long::sum))));
        return all;
    }

    private static Map<String, Map<String, Long>> count(
            Iterator<Outcome<Read>> rows, Examples format, Division division) {
        Map<String, Map<String, Long>> counts = new TreeMap<>();
        while (rows.hasNext()) {
            Read read = rows.next().orThrow();
            if (read != null && division.isTraining(format.stratum(read.row()), format.group(read.row()))) {
                format.count(read.row(), counts);
            }
        }
        return counts;
    }

    private record Key(int part, long order, String file, long row) implements Serializable {
        static int compare(Key a, Key b) {
            return Comparator.comparingInt(Key::part)
                    .thenComparingLong(Key::order)
                    .thenComparing(Key::file)
                    .thenComparingLong(Key::row)
                    .compare(a, b);
        }
    }

    /** @param tokens of all examples of the file */
    private record Written(ExampleIndex.Part part, int longest, long tokens) implements Serializable {}

    private ExampleIndex encode(
            JavaRDD<Outcome<Read>> read,
            Vocabularies vocabularies,
            Broadcast<Division> division,
            Path folder,
            String hash,
            long skipped)
            throws IOException {
        var hadoop = session.hadoopBroadcast();
        Broadcast<Vocabularies> words = session.broadcast(vocabularies);
        Examples format = examples;
        String target = folder.toString();
        session.name("prepare: encode", "encode rows");
        JavaPairRDD<Key, int[]> encoded = read.map(Outcome::orThrow)
                .filter(Objects::nonNull)
                .mapToPair(each -> {
                    Row row = each.row();
                    int[] example = format.encode(row, each.content(), words.value());
                    Division.Place place = division.value().place(format.stratum(row), format.group(row));
                    return new Tuple2<>(new Key(place.part(), place.order(), row.file(), row.number()), example);
                });
        session.name("prepare: encode", "write examples");
        List<Written> written = encoded
                .repartitionAndSortWithinPartitions(
                        division.value().partitioner(Key::part), (Comparator<Key> & Serializable) Key::compare)
                .mapPartitionsWithIndex(
                        (number, each) -> List.of(Outcome.of(() -> write(
                                        number,
                                        each,
                                        format,
                                        target,
                                        hadoop.value().value())))
                                .iterator(),
                        true)
                .collect()
                .stream()
                .map(Outcome::orThrow)
                .toList();
        for (Written one : written) {
            checkShared(new Path(folder, one.part().file()), 0, Long.MAX_VALUE);
        }
        return division.value()
                .index(
                        hash,
                        written.stream().map(Written::part).toList(),
                        written.stream().mapToInt(Written::longest).max().orElse(0),
                        written.stream().mapToLong(Written::tokens).sum(),
                        skipped);
    }

    private static Written write(
            int number, Iterator<Tuple2<Key, int[]>> each, Examples format, String folder, Configuration hadoop)
            throws IOException {
        Path file = new Path(folder, String.format(Locale.ROOT, "examples-%05d-%s.bin", number, UUID.randomUUID()));
        int longest = 0;
        long tokens = 0;
        try (ExampleWriter writer = new ExampleWriter(PreparedFile.create(file, hadoop))) {
            while (each.hasNext()) {
                int[] example = each.next()._2();
                writer.write(example);
                longest = Math.max(longest, format.steps(example));
                tokens += format.steps(example);
            }
            return new Written(
                    new ExampleIndex.Part(file.getName(), writer.examples(), writer.checksum()), longest, tokens);
        }
    }

    @Override
    Optional<Score> evaluate(Evaluation evaluation, Vocabularies vocabularies, List<String> paths) {
        List<List<Slice>> files =
                paths.stream().flatMap(path -> files(path).stream()).toList();
        var hadoop = session.hadoopBroadcast();
        Broadcast<Vocabularies> words = evaluation.broadcast(vocabularies);
        var skipped = session.counter("rows skipped");
        int lanes = settings.training().batch();
        Examples format = examples;
        Rows reading = rows;
        Optional<Score> score = evaluation.sum("evaluate", files, part -> {
            List<int[]> all = new ArrayList<>();
            reading.map(
                            part,
                            hadoop.value().value(),
                            (row, named) -> format.encode(row, format.read(row, named), words.value()))
                    .forEachRemaining(example -> all.add(example.orThrow()));
            skipped.add(all.stream().filter(Objects::isNull).count());
            all.removeIf(Objects::isNull);
            return ExampleSource.batches(all, format, lanes);
        });
        if (skipped.value() > 0) {
            LOG.warn("{} malformed rows are left out", skipped.value());
        }
        return score.map(found -> new Counted(found, skipped.value()));
    }

    /** @param skipped rows that were malformed */
    private record Counted(Score score, long skipped) implements Score {
        @Override
        public Loss loss() {
            return score.loss();
        }

        @Override
        public Score plus(Score other) {
            return new Counted(score.plus(((Counted) other).score), skipped + ((Counted) other).skipped);
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
