package io.unroll.spark;

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
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.LongStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.broadcast.Broadcast;
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
        return CorpusFiles.wholeFiles(path, PART_BYTES, session.hadoop());
    }

    private List<List<Slice>> filesOf(Examples.Files beside) {
        try {
            return files(beside.path());
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
        boolean found = isPrepared(folder, () -> problem(folder, hash));
        if (!found) {
            examples.check(session.hadoop());
            Tally tally = tally(files);
            if (tally.rows() == 0) {
                throw new ConfigurationException(corpus.path() + " holds no row that can be used"
                        + (tally.skipped() > 0 ? "; " + tally.skipped() + " are malformed." : "."));
            }
            long bytes = tally.rows() * examples.sourceBytes()
                    + files.stream()
                            .flatMap(List::stream)
                            .mapToLong(Slice::length)
                            .sum();
            Broadcast<Division> division = session.broadcast(
                    Division.of(tally.groups(), corpus.validation(), corpus.test(), 1 + bytes / PART_BYTES));
            Vocabularies vocabularies = given.orElseGet(() -> examples.vocabularies(count(files, division)));
            makeFolder(folder);
            ExampleIndex made = encode(files, vocabularies, division, folder, hash, tally.skipped());
            publish(folder, vocabularies, ExampleIndex.FILE, made.with(vocabularies));
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

    private Tally tally(List<List<Slice>> files) {
        var hadoop = session.hadoopBroadcast();
        Examples format = examples;
        Rows reading = rows;
        Broadcast<Vocabularies> symbols = given.map(session::broadcast).orElse(null);
        Tally all = new Tally(Map.of(), 0);
        session.map("prepare: check rows", files, part -> {
                    Map<String, LongStream.Builder> hashes = new TreeMap<>();
                    long skipped = reading.each(part, hadoop.value().value(), (row, named) -> {
                        format.check(row, named);
                        if (symbols != null) {
                            format.check(row, symbols.value());
                        }
                        hashes.computeIfAbsent(format.stratum(row), any -> LongStream.builder())
                                .add(Division.hash(format.group(row)));
                    });
                    Map<String, long[]> own = new TreeMap<>();
                    hashes.forEach(
                            (stratum, each) -> own.put(stratum, each.build().toArray()));
                    return new Tally(own, skipped);
                })
                .forEach(all::add);
        return all;
    }

    /** @return how often each symbol occurs in what is trained on */
    private Map<String, Map<String, Long>> count(List<List<Slice>> files, Broadcast<Division> division) {
        var hadoop = session.hadoopBroadcast();
        Examples format = examples;
        Rows reading = rows;
        Map<String, Map<String, Long>> all = new TreeMap<>();
        session.map("prepare: count symbols", files, part -> {
                    Map<String, Map<String, Long>> counts = new TreeMap<>();
                    reading.each(part, hadoop.value().value(), (row, named) -> {
                        format.check(row, named);
                        if (division.value().isTraining(format.stratum(row), format.group(row))) {
                            format.count(row, counts);
                        }
                    });
                    return counts;
                })
                .forEach(counts -> counts.forEach((name, counted) -> counted.forEach((symbol, count) ->
                        all.computeIfAbsent(name, any -> new TreeMap<>()).merge(symbol, count, Long::sum))));
        return all;
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
            List<List<Slice>> files,
            Vocabularies vocabularies,
            Broadcast<Division> division,
            Path folder,
            String hash,
            long skipped)
            throws IOException {
        var hadoop = session.hadoopBroadcast();
        Broadcast<Vocabularies> words = session.broadcast(vocabularies);
        Examples format = examples;
        Rows reading = rows;
        String target = folder.toString();
        session.name("prepare: encode", "read rows");
        JavaPairRDD<Key, int[]> encoded = session.parallelize(files)
                .flatMapToPair(part -> reading.map(part, hadoop.value().value(), (row, named) -> {
                    int[] example = format.encode(row, named, words.value());
                    Division.Place place = division.value().place(format.stratum(row), format.group(row));
                    return new Tuple2<>(new Key(place.part(), place.order(), row.file(), row.number()), example);
                }));
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
        try (ExampleWriter writer = new ExampleWriter(file.getFileSystem(hadoop).create(file))) {
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
        Broadcast<Vocabularies> words = session.broadcast(vocabularies);
        var skipped = session.counter("rows skipped");
        int lanes = settings.training().batch();
        Examples format = examples;
        Rows reading = rows;
        Optional<Score> score = evaluation.sum("evaluate", files, part -> {
            List<int[]> all = new ArrayList<>();
            skipped.add(reading.each(
                    part, hadoop.value().value(), (row, named) -> all.add(format.encode(row, named, words.value()))));
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
