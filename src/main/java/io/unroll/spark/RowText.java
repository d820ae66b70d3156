package io.unroll.spark;

import static org.apache.spark.sql.functions.col;

import io.unroll.chunk.Batch;
import io.unroll.chunk.EvaluationLanes;
import io.unroll.chunk.Example;
import io.unroll.chunk.SequenceIndex;
import io.unroll.chunk.SequenceWriter;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.text.Row;
import io.unroll.text.Tokenizer;
import io.unroll.text.Vocabularies;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Encoders;
import scala.Tuple3;

/** The text of rows, a line for each, in the order of {@code corpus.columns.order}; ties are ordered by content. */
final class RowText extends TextPreparation {
    private static final long MAX_EVALUATED_CHARACTERS = 16L << 20;

    private final RowSource source;
    private final RowReader reader;
    /** The rows of the corpus; null until {@link #corpusHash}, because an evaluation of files does not read them. */
    private ScannedRows corpusRows;

    private record ScannedRows(JavaRDD<Row> rows, RowScan scan) {}

    RowText(
            Session session,
            Settings.Corpus corpus,
            Optional<Vocabularies> givenVocabularies,
            RowSource source,
            RowReader reader) {
        super(session, corpus, givenVocabularies);
        this.source = source;
        this.reader = reader;
    }

    @Override
    String corpusHash() {
        JavaRDD<Row> rows = source.rows();
        Tokenizer untrained = Tokenizer.ofText(corpus);
        corpusRows = new ScannedRows(
                rows,
                reader.scan(
                        session,
                        "prepare: hash the corpus",
                        source.name(),
                        rows,
                        (row, counters) -> untrained.count(line(row), counters.of(Vocabularies.TOKENS))));
        return DigestUtils.sha256Hex(corpusRows.scan().identity());
    }

    @Override
    Map<String, Long> skipped() {
        return corpusRows.scan().skipped();
    }

    @Override
    Map<String, Long> count(Tokenizer tokenizer) {
        return corpusRows.scan().counts().getOrDefault(Vocabularies.TOKENS, Map.of());
    }

    private static String line(Row row) {
        return row.value("text") + "\n";
    }

    @Override
    List<SequenceIndex.Part> encode(Tokenizer tokenizer, Example.Type type, String folder) {
        var hadoop = session.hadoopBroadcast();
        Broadcast<Tokenizer> broadcast = session.broadcast(tokenizer);
        long partitions = 1 + corpusRows.scan().characters() / Session.TASK_BYTES;
        List<WrittenPart> written = session.mapPartitions("prepare: encode", lines(corpusRows, partitions), lines -> {
            Configuration conf = hadoop.value().value();
            long hash = 0;
            try (SequenceWriter writer = writer(folder, type, conf)) {
                while (lines.hasNext()) {
                    Tuple3<String, String, Long> line = lines.next();
                    IntStream.of(broadcast.value().encode(line._2())).forEach(writer);
                    hash += line._3();
                }
                writer.endSequence();
                return new WrittenPart(writer.part(), hash);
            }
        });
        return WrittenPart.parts(written, corpusRows.scan(), source.name());
    }

    /** @return sort key, text and hash of each row, in order */
    private JavaRDD<Tuple3<String, String, Long>> lines(ScannedRows text, long partitions) {
        RowReader tasks = reader;
        JavaRDD<Tuple3<String, String, Long>> keyed = text.rows()
                .filter(tasks::isUsable)
                .map(row -> new Tuple3<>(
                        OrderKeys.key(row.value(RowSource.ORDER)),
                        line(row),
                        tasks.hashes().of(row)));
        return session.shuffle(
                keyed,
                Encoders.tuple(Encoders.STRING(), Encoders.STRING(), Encoders.LONG()),
                data -> data.repartitionByRange(Math.toIntExact(partitions), col("_1"), col("_2"))
                        .sortWithinPartitions("_1", "_2"));
    }

    /** All rows are one text, which one task reads. */
    @Override
    EvaluationSource evaluationSource(List<String> paths, Vocabularies vocabularies, int steps) {
        JavaRDD<Row> rows = source.rows(paths);
        ScannedRows text = new ScannedRows(rows, reader.scan(session, "evaluate: check rows", source.name(), rows));
        if (text.scan().characters() > MAX_EVALUATED_CHARACTERS) {
            throw new ConfigurationException(String.format(
                    "the rows are one text of %,d characters, which one task reads; the maximum is %,d: evaluate fewer"
                            + " rows at a time, for example with corpus.query, or a part of the corpus.",
                    text.scan().characters(), MAX_EVALUATED_CHARACTERS));
        }
        Broadcast<Tokenizer> tokenizer = session.broadcast(vocabularies.tokens());
        JavaRDD<List<Batch>> batches = lines(text, 1).map(Tuple3::_2).mapPartitions(lines -> List.of(
                        new EvaluationLanes(tokens(lines, tokenizer.value()), 0).batches(steps))
                .iterator());
        return new EvaluationSource(batches, text.scan().skipped());
    }

    private static int[] tokens(Iterator<String> lines, Tokenizer tokenizer) {
        IntStream.Builder tokens = IntStream.builder();
        lines.forEachRemaining(line -> IntStream.of(tokenizer.encode(line)).forEach(tokens));
        return tokens.build().toArray();
    }
}
