package io.unroll.spark;

import io.unroll.chunk.Batch;
import io.unroll.chunk.Example;
import io.unroll.chunk.ExampleSource;
import io.unroll.chunk.SequenceIndex;
import io.unroll.chunk.SequenceWriter;
import io.unroll.config.ConfigurationException;
import io.unroll.config.SettingNames;
import io.unroll.config.Settings;
import io.unroll.storage.CorpusFiles;
import io.unroll.storage.FileSplit;
import io.unroll.task.Examples;
import io.unroll.task.Task;
import io.unroll.text.Row;
import io.unroll.text.Vocabularies;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.commons.collections4.IteratorUtils;
import org.apache.commons.collections4.iterators.PeekingIterator;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import scala.Tuple2;
import scala.Tuple3;

/**
 * Converts rows to vocabularies and a store of examples. Whether a row is held out and where it is in the files do
 * not depend on how Spark divides the rows into partitions: by default, both follow from hashes of its content:
 *
 * <pre>
 *   rows --scan--> count, hash, group hashes      identifies the corpus, and gives the split
 *   rows --count--> vocabularies                  of the training rows; of all rows, in the first pass, if copies are split
 *   rows --encode--> (part, order, example) --shuffle, sort--> files
 * </pre>
 *
 * The rows are read again in each pass. If a pass reads other rows than the first one, preparation fails.
 */
final class ExamplePreparation extends CorpusPreparation {
    private static final int EVALUATION_ROWS = 4096;
    private static final String ROWS_OF_STRATUM = "rows of stratum";

    private final Settings settings;
    private final Task task;
    private final RowSource source;
    private final RowReader reader;
    private final boolean splitsByRow;

    ExamplePreparation(
            Session session,
            Settings settings,
            Task task,
            Optional<Vocabularies> givenVocabularies,
            RowSource source,
            RowReader reader) {
        super(session, settings.corpus(), givenVocabularies);
        this.settings = settings;
        this.task = task;
        this.source = source;
        this.reader = reader;
        this.splitsByRow = settings.splitBy().equals("row");
    }

    @Override
    String corpusHash() {
        return hash(scan(source.rows()));
    }

    /** @return a hash of the content of all rows, and of the files that determine the examples */
    private String hash(RowScan scan) {
        StringBuilder content = new StringBuilder(scan.identity());
        for (Examples.Files auxiliary : reader.examples().auxiliaryFiles()) {
            List<List<FileSplit>> files = auxiliaryFiles(auxiliary);
            content.append('\n').append(hash(session, files));
            if (auxiliary.namesMatter()) {
                files.stream().flatMap(List::stream).forEach(file -> content.append('\n')
                        .append(new Path(file.file()).getName()));
            }
        }
        return DigestUtils.sha256Hex(content.toString());
    }

    private List<List<FileSplit>> auxiliaryFiles(Examples.Files auxiliary) {
        try {
            return CorpusFiles.wholeFiles(auxiliary.path(), Session.TASK_BYTES, session.hadoop());
        } catch (ConfigurationException e) {
            throw new ConfigurationException(auxiliary.key() + ": " + e.getMessage(), e);
        }
    }

    @Override
    public PreparedCorpus prepare() throws IOException {
        reader.examples().check(session.hadoop());
        JavaRDD<Row> rows = source.rows();
        // With copies, the vocabulary has the symbols of all rows, which the first pass can count.
        boolean countsAll = splitsByRow && !hasSessions() && needsCounts();
        RowScan scan = countsAll ? count("prepare: hash the corpus", rows, HoldOut.ALL_TRAINING) : scan(rows);
        String hash = hash(scan);
        Path folder = folder(
                SettingNames.kebab(settings.task()),
                hash,
                reader.examples().cacheKey(),
                corpus.validation(),
                corpus.test(),
                corpus.splitBy(),
                corpus.sessionGap(),
                new TreeMap<>(corpus.classWeights()),
                corpus.balanceClasses());
        return prepare(
                folder,
                hash,
                task.vocabularies(),
                store -> new ExampleSource(store, reader.examples()),
                () -> writePrepared(rows, scan, folder, hash));
    }

    private RowScan scan(JavaRDD<Row> rows) {
        return reader.scan(session, "prepare: hash the corpus", source.name(), rows);
    }

    private void writePrepared(JavaRDD<Row> rows, RowScan scan, Path folder, String hash) throws IOException {
        RowsToEncode read = rowsToEncode(reader, source.name(), rows, scan);
        RowScan usable = read.usable();
        HoldOut holdOut = splitsByRow ? HoldOut.ALL_TRAINING : holdOut(read.rows(), usable);
        RowScan counted = read.counted();
        if (needsCounts() && counted.counts().isEmpty()) {
            counted = count("prepare: count symbols", read.rows(), holdOut);
            read.counted().checkSame(source.name(), counted.hash());
        }
        Map<String, Map<String, Long>> counts = counted.counts();
        Vocabularies vocabularies =
                givenVocabularies.orElseGet(() -> reader.examples().vocabularies(counts));
        RowWeights weights =
                hasClassWeights() ? classWeights(vocabularies, counts.get(ROWS_OF_STRATUM)) : RowWeights.EQUAL;
        boolean isWeighted = hasClassWeights() || source.fields().contains(RowSource.WEIGHT);
        Example.Type unweighted = reader.examples().type(vocabularies);
        Example.Type type = new Example.Type(unweighted.source(), unweighted.target(), isWeighted);
        create(folder, () -> {
            JavaRDD<Tuple3<Long, Long, byte[]>> encoded =
                    encode(reader, read.rows(), vocabularies, type, holdOut, weights);
            List<WrittenPart> written = write(encoded, usable, type, folder);
            List<SequenceIndex.Part> parts = WrittenPart.parts(written, usable, corpus.source());
            SequenceIndex index = SequenceIndex.of(hash, type, parts, read.skipped(), vocabularies);
            checkValidation(usable, index);
            if (isWeighted && index.meanWeight() == 0) {
                throw new ConfigurationException(
                        "all rows of the training part have the weight 0, so there is nothing to"
                                + " learn: check corpus.columns.weight and corpus.class-weights.");
            }
            publish(folder, vocabularies, index);
        });
    }

    private boolean hasSessions() {
        return !corpus.columns().get(RowSource.DOCUMENT).isBlank();
    }

    private RowWeights classWeights(Vocabularies vocabularies, Map<String, Long> rows) {
        List<String> labels = task.labels(vocabularies).orElseThrow().symbols();
        return RowWeights.of(corpus, labels, rows);
    }

    private boolean needsCounts() {
        return givenVocabularies.isEmpty() || hasClassWeights();
    }

    private boolean hasClassWeights() {
        return corpus.balanceClasses() || !corpus.classWeights().isEmpty();
    }

    /**
     * @param rows rows or documents
     * @param counted the scan of their values
     * @param usable the scan of those whose files can be read
     * @param skipped number of skipped rows and documents by reason
     */
    private record RowsToEncode(JavaRDD<Row> rows, RowScan counted, RowScan usable, Map<String, Long> skipped) {}

    /** @param scan of the rows */
    private RowsToEncode rowsToEncode(RowReader tasks, String origin, JavaRDD<Row> rows, RowScan scan) {
        Map<String, Long> skipped = new TreeMap<>(scan.skipped());
        JavaRDD<Row> documents = rows;
        RowScan counted = scan;
        if (hasSessions()) {
            documents = Documents.group(session, tasks, origin, rows, scan, corpus.gap());
            counted = tasks.scan(session, "prepare: group rows into documents", origin, documents);
            counted.skipped().forEach((reason, count) -> skipped.merge(reason, count, Long::sum));
        }
        RowScan usable = counted;
        if (tasks.examples().readsFiles()) {
            usable = tasks.scanFiles(session, origin, documents);
            usable.skipped().forEach(skipped::put);
        }
        return new RowsToEncode(documents, counted, usable, skipped);
    }

    /** @throws ConfigurationException if validation should have rows, but has none */
    private void checkValidation(RowScan scan, SequenceIndex index) {
        long requested = validationRows(scan.rows());
        if (requested > 0 && index.sequences(SequenceIndex.Section.VALIDATION) == 0) {
            throw new ConfigurationException("corpus.validation = " + corpus.validation() + " asks for " + requested
                    + (requested == 1 ? " row" : " rows") + ", but none can be held out: " + whyNoValidation(scan)
                    + ", or set corpus.validation to 0.");
        }
    }

    private long validationRows(long rows) {
        return Math.round(rows * (corpus.validation() + corpus.test())) - Math.round(rows * corpus.test());
    }

    private String whyNoValidation(RowScan scan) {
        boolean labelsAreSmall = settings.splitBy().equals("content")
                && scan.groups().rows().allMatch(rows -> validationRows(rows) == 0);
        if (labelsAreSmall) {
            return "the share is taken from each label, and no label has enough rows. Add rows, raise the share";
        }
        return switch (settings.splitBy()) {
            case "order" -> "too many rows have the same " + corpus.columns().get(RowSource.ORDER)
                    + " (corpus.columns.order), and such rows must stay in one part. Choose a finer order";
            case "row" -> "the rows are too few. Add rows, raise the share";
            case "content" -> "duplicates (rows with the same text and label, source or image) must"
                    + " stay in one part, and the groups of duplicates are too large. Remove duplicate rows";
            default -> "no row has the value validation in the column " + corpus.splitBy()
                    + " (corpus.split-by). Correct the column";
        };
    }

    private HoldOut holdOut(JavaRDD<Row> rows, RowScan scan) {
        return switch (settings.splitBy()) {
            case "content" -> HoldOut.byGroup(
                    reader.examples(), new StratifiedGroupSplit(scan.groups(), corpus.validation(), corpus.test()));
            case "order" -> orderSplit(rows, scan);
            default -> HoldOut.BY_COLUMN;
        };
    }

    private JavaRDD<Tuple3<Long, Long, byte[]>> splitCopies(JavaRDD<Tuple3<Long, Long, byte[]>> copies) {
        GroupSizes sizes = new GroupSizes();
        Function<Iterator<Tuple3<Long, Long, byte[]>>, GroupSizes> count = part -> {
            GroupSizes partSizes = new GroupSizes();
            part.forEachRemaining(copy -> partSizes.add("", copy._1()));
            return partSizes;
        };
        session.forEachPartition("prepare: count copies", copies, count, sizes::add);
        StratifiedGroupSplit split = new StratifiedGroupSplit(sizes, corpus.validation(), corpus.test());
        return EncodedRows.split(session, copies, split);
    }

    /** Finds the first order of the validation and of the test; rows of equal order stay together. */
    private HoldOut orderSplit(JavaRDD<Row> rows, RowScan scan) {
        RowReader tasks = reader;
        long test = Math.round(scan.rows() * corpus.test());
        long validation = Math.round(scan.rows() * (corpus.test() + corpus.validation())) - test;
        long testIndex = scan.rows() - test;
        long validationIndex = testIndex - validation;
        Map<Long, String> bounds =
                session.describe("prepare: sort by order", "sort by order", () -> rows.filter(tasks::isUsable)
                        .map(row -> OrderKeys.key(row.value(RowSource.ORDER)))
                        .sortBy(key -> key, true, rows.getNumPartitions())
                        .zipWithIndex()
                        .filter(key -> key._2() == testIndex || key._2() == validationIndex)
                        .mapToPair(Tuple2::swap)
                        .collectAsMap());
        return HoldOut.byOrder(
                validation > 0 ? bounds.get(validationIndex) : null, test > 0 ? bounds.get(testIndex) : null);
    }

    /** @return a scan that counts the symbols of the training rows, and the number of these rows by stratum */
    private RowScan count(String description, JavaRDD<Row> rows, HoldOut holdOut) {
        RowReader tasks = reader;
        Broadcast<HoldOut> split = session.broadcast(holdOut);
        boolean countsLabels = hasClassWeights();
        return tasks.scan(session, description, source.name(), rows, (row, counters) -> {
            if (split.value().section(row) == SequenceIndex.Section.TRAINING) {
                tasks.examples().count(row, counters);
                if (countsLabels) {
                    counters.of(ROWS_OF_STRATUM).add(tasks.examples().stratum(row));
                }
            }
        });
    }

    private List<WrittenPart> write(
            JavaRDD<Tuple3<Long, Long, byte[]>> encoded, RowScan scan, Example.Type type, Path folder) {
        int partitions = Math.toIntExact(1 + bytes(scan) / Session.TASK_BYTES);
        JavaRDD<Tuple3<Long, Long, byte[]>> sorted = splitsByRow
                ? splitCopies(EncodedRows.copies(session, encoded, type.weighted(), partitions))
                : EncodedRows.sorted(session, encoded, partitions);
        var hadoop = session.hadoopBroadcast();
        String target = folder.toString();
        return session
                .mapPartitions(
                        "prepare: encode",
                        sorted,
                        part -> write(part, type, target, hadoop.value().value()))
                .stream()
                .flatMap(List::stream)
                .sorted(Comparator.comparing(written -> written.part().section()))
                .toList();
    }

    private long bytes(RowScan scan) {
        return scan.characters() + scan.rows() * reader.examples().extraBytesPerExample();
    }

    private JavaRDD<Tuple3<Long, Long, byte[]>> encode(
            RowReader tasks,
            JavaRDD<Row> rows,
            Vocabularies vocabularies,
            Example.Type type,
            HoldOut holdOut,
            RowWeights weights) {
        var hadoop = session.hadoopBroadcast();
        Broadcast<Vocabularies> vocabularyBroadcast = session.broadcast(vocabularies);
        Broadcast<HoldOut> split = session.broadcast(holdOut);
        return rows.flatMap(row -> tasks.encode(
                row,
                vocabularyBroadcast.value(),
                type,
                split.value(),
                weights,
                hadoop.value().value()));
    }

    /** Writes the sorted examples of a partition: a part of the store for each section. */
    private static List<WrittenPart> write(
            Iterator<Tuple3<Long, Long, byte[]>> sorted, Example.Type type, String folder, Configuration hadoop)
            throws IOException {
        int number = TaskContext.getPartitionId();
        PeekingIterator<Tuple3<Long, Long, byte[]>> rows = PeekingIterator.peekingIterator(sorted);
        List<WrittenPart> parts = new ArrayList<>();
        while (rows.hasNext()) {
            SequenceIndex.Section section = EncodedRows.section(rows.peek()._1());
            long hash = 0;
            try (SequenceWriter writer = new SequenceWriter(folder, section, number, type, hadoop)) {
                while (rows.hasNext() && EncodedRows.section(rows.peek()._1()) == section) {
                    Tuple3<Long, Long, byte[]> row = rows.next();
                    writer.write(row._3());
                    hash += row._2();
                }
                parts.add(new WrittenPart(writer.part(), hash));
            }
        }
        return parts;
    }

    /** Sorts the rows by their hashes, so that the batches do not depend on how Spark divides the rows. */
    @Override
    EvaluationSource evaluationSource(List<String> paths, Vocabularies vocabularies, int steps) {
        Examples format = reader.examples();
        RowReader checked = RowReader.of(session, settings, format, source.fields(), Optional.of(vocabularies));
        JavaRDD<Row> allRows = source.rows(paths);
        String name = paths.isEmpty() ? source.name() : String.join(", ", paths);
        RowScan scan = checked.scan(session, "evaluate: check rows", name, allRows);
        RowsToEncode read = rowsToEncode(checked, name, allRows, scan);
        RowScan usable = read.usable();
        int partitions =
                Math.toIntExact(1 + Math.max(usable.rows() / EVALUATION_ROWS, bytes(usable) / Session.TASK_BYTES));
        Settings.Training training = settings.training();
        Example.Type type = format.type(vocabularies);
        JavaRDD<List<Batch>> batches = EncodedRows.sorted(
                        session,
                        encode(checked, read.rows(), vocabularies, type, HoldOut.ALL_TRAINING, RowWeights.EQUAL),
                        partitions)
                .mapPartitions(part -> List.of(ExampleSource.batches(
                                IteratorUtils.toList(
                                        IteratorUtils.transformedIterator(part, row -> Example.of(row._3(), type))),
                                format,
                                training))
                        .iterator());
        return new EvaluationSource(batches, read.skipped());
    }
}
