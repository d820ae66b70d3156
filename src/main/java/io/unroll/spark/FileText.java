package io.unroll.spark;

import io.unroll.chunk.EvaluationLanes;
import io.unroll.chunk.Example;
import io.unroll.chunk.SequenceIndex;
import io.unroll.chunk.SequenceWriter;
import io.unroll.config.Settings;
import io.unroll.config.Settings.Malformed;
import io.unroll.storage.CorpusFiles;
import io.unroll.storage.FileSplit;
import io.unroll.storage.SplitInput;
import io.unroll.text.SymbolCounter;
import io.unroll.text.Tokenizer;
import io.unroll.text.Vocabularies;
import java.io.IOException;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.broadcast.Broadcast;

/** The text of files, in the order of their paths. */
final class FileText extends TextPreparation {
    private static final int CONTEXT_BYTES = 4096;

    private final long splitBytes;
    private final long evaluatedBytes;

    /**
     * @param splitBytes minimum number of bytes that a task prepares
     * @param evaluatedBytes number of bytes that a task evaluates
     */
    FileText(
            Session session,
            Settings.Corpus corpus,
            Optional<Vocabularies> givenVocabularies,
            long splitBytes,
            long evaluatedBytes) {
        super(session, corpus, givenVocabularies);
        this.splitBytes = splitBytes;
        this.evaluatedBytes = evaluatedBytes;
    }

    private List<List<FileSplit>> parts() {
        return CorpusFiles.parts(corpus.path(), splitBytes, session.hadoop());
    }

    @Override
    String corpusHash() {
        return hash(session, parts());
    }

    @Override
    Map<String, Long> count(Tokenizer tokenizer) {
        Malformed malformed = corpus.malformed();
        var hadoop = session.hadoopBroadcast();
        Map<String, Long> total = new HashMap<>();
        session.forEachPartition(
                "prepare: count symbols",
                session.parallelizeParts(parts()),
                slices -> count(slices, tokenizer, malformed, hadoop.value().value()),
                counts -> counts.forEach((symbol, count) -> total.merge(symbol, count, Long::sum)));
        return total;
    }

    private static Map<String, Long> count(
            Iterator<FileSplit> slices, Tokenizer tokenizer, Malformed malformed, Configuration hadoop)
            throws IOException {
        SymbolCounter counter = new SymbolCounter();
        while (slices.hasNext()) {
            try (SplitInput in = SplitInput.open(slices.next(), tokenizer.boundary(), hadoop)) {
                tokenizer.count(in, malformed, counter);
            }
        }
        return counter.counts();
    }

    /** Writes each slice as a sequence. */
    @Override
    List<SequenceIndex.Part> encode(Tokenizer tokenizer, Example.Type type, String folder) {
        Malformed malformed = corpus.malformed();
        var hadoop = session.hadoopBroadcast();
        Broadcast<Tokenizer> broadcast = session.broadcast(tokenizer);
        return session.mapPartitions("prepare: encode", session.parallelizeParts(parts()), slices -> {
            Configuration conf = hadoop.value().value();
            try (SequenceWriter writer = writer(folder, type, conf)) {
                while (slices.hasNext()) {
                    encode(slices.next(), broadcast.value(), malformed, conf, writer);
                    writer.endSequence();
                }
                return writer.part();
            }
        });
    }

    private static void encode(
            FileSplit slice, Tokenizer tokenizer, Malformed malformed, Configuration hadoop, IntConsumer tokens)
            throws IOException {
        try (SplitInput in = SplitInput.open(slice, tokenizer.boundary(), hadoop)) {
            tokenizer.encode(in, malformed, tokens);
        }
    }

    /** Each file is a separate text; its first token, which has no context, is not scored. */
    @Override
    EvaluationSource evaluationSource(List<String> paths, Vocabularies vocabularies, int steps) {
        Malformed malformed = corpus.malformed();
        List<FileSplit> splits = paths.stream()
                .flatMap(path -> CorpusFiles.parts(path, evaluatedBytes, session.hadoop()).stream())
                .flatMap(List::stream)
                .toList();
        var hadoop = session.hadoopBroadcast();
        Broadcast<Tokenizer> tokenizer = session.broadcast(vocabularies.tokens());
        return new EvaluationSource(
                session.parallelize(splits).map(split -> read(
                                split,
                                tokenizer.value(),
                                malformed,
                                hadoop.value().value())
                        .batches(steps)),
                null);
    }

    /** Reads a slice, with the tokens before it as context for the network's state. */
    private static EvaluationLanes read(FileSplit slice, Tokenizer tokenizer, Malformed malformed, Configuration hadoop)
            throws IOException {
        int[] before = {};
        if (slice.start() > 0) {
            long bytes = CONTEXT_BYTES;
            do {
                long from = Math.max(0, slice.start() - bytes);
                before = tokens(new FileSplit(slice.file(), from, slice.start(), false), tokenizer, malformed, hadoop);
                bytes *= 2;
            } while (before.length == 0 && bytes < 2 * slice.start());
        }
        int context = Math.min(before.length, EvaluationLanes.WARM_UP + 1);
        IntStream warmUp = IntStream.of(before).skip(before.length - (long) context);
        int[] scored = tokens(slice, tokenizer, malformed, hadoop);
        return new EvaluationLanes(
                IntStream.concat(warmUp, IntStream.of(scored)).toArray(), context);
    }

    private static int[] tokens(FileSplit slice, Tokenizer tokenizer, Malformed malformed, Configuration hadoop)
            throws IOException {
        IntStream.Builder tokens = IntStream.builder();
        encode(slice, tokenizer, malformed, hadoop, tokens);
        return tokens.build().toArray();
    }
}
