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
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;

/** The text of files, in the order of their paths; a task reads about 16 MiB. */
final class FileText implements TextPreparation.TextReader {
    private static final long SPLIT_BYTES = 16L << 20;
    private static final int CONTEXT_BYTES = 4096;

    private final Session session;
    private final String path;
    private final Malformed malformed;
    private final long splitBytes;
    private final long evaluatedBytes;

    FileText(Session session, Settings.Corpus corpus) {
        this(session, corpus, SPLIT_BYTES, EvaluationLanes.SHARD);
    }

    /**
     * @param splitBytes minimum number of bytes that a task prepares
     * @param evaluatedBytes number of bytes that a task evaluates
     */
    FileText(Session session, Settings.Corpus corpus, long splitBytes, long evaluatedBytes) {
        this.session = session;
        this.path = corpus.path();
        this.malformed = corpus.malformed();
        this.splitBytes = splitBytes;
        this.evaluatedBytes = evaluatedBytes;
    }

    private List<List<FileSplit>> parts() {
        return CorpusFiles.parts(path, splitBytes, session.hadoop());
    }

    @Override
    public String hash() {
        return CorpusPreparation.hash(session, parts());
    }

    @Override
    public Map<String, Long> count(Tokenizer tokenizer) {
        Malformed rule = malformed;
        Broadcast<SerializableConfiguration> hadoop = session.hadoopBroadcast();
        Map<String, Long> total = new HashMap<>();
        session.forEachPartition(
                "prepare: count symbols",
                session.parallelize(parts()),
                part -> count(part, tokenizer, rule, hadoop.value().value()),
                counts -> counts.forEach((symbol, count) -> total.merge(symbol, count, Long::sum)));
        return total;
    }

    private static Map<String, Long> count(
            Iterator<List<FileSplit>> parts, Tokenizer tokenizer, Malformed malformed, Configuration hadoop)
            throws IOException {
        SymbolCounter counter = new SymbolCounter();
        while (parts.hasNext()) {
            for (FileSplit slice : parts.next()) {
                try (SplitInput in = SplitInput.open(slice, tokenizer.boundary(), hadoop)) {
                    tokenizer.count(in, malformed, counter);
                }
            }
        }
        return counter.counts();
    }

    @Override
    public List<SequenceIndex.Part> encode(Tokenizer tokenizer, Example.Type type, String folder) {
        Malformed rule = malformed;
        List<List<FileSplit>> parts = parts();
        Broadcast<SerializableConfiguration> hadoop = session.hadoopBroadcast();
        Broadcast<Tokenizer> broadcast = session.broadcast(tokenizer);
        List<NumberedPart> numbered = IntStream.range(0, parts.size())
                .mapToObj(number -> new NumberedPart(number, new ArrayList<>(parts.get(number))))
                .toList();
        return session.map("prepare: encode", numbered, part -> {
            try (SequenceWriter writer = new SequenceWriter(
                    folder,
                    SequenceIndex.Section.STREAM,
                    part.number(),
                    type,
                    hadoop.value().value())) {
                encode(
                        part.slices(),
                        broadcast.value(),
                        rule,
                        writer,
                        hadoop.value().value());
                return writer.part();
            }
        });
    }

    private record NumberedPart(int number, List<FileSplit> slices) implements Serializable {}

    /** Writes each slice as a sequence. */
    private static void encode(
            List<FileSplit> slices,
            Tokenizer tokenizer,
            Malformed malformed,
            SequenceWriter writer,
            Configuration hadoop)
            throws IOException {
        for (FileSplit slice : slices) {
            try (SplitInput in = SplitInput.open(slice, tokenizer.boundary(), hadoop)) {
                tokenizer.encode(in, malformed, writer);
            }
            writer.endSequence();
        }
    }

    /** Each file is a separate text; its first token, which has no context, is not scored. */
    @Override
    public EvaluationSource evaluationSource(List<String> paths, Tokenizer tokenizer, int steps) {
        Malformed rule = malformed;
        List<FileSplit> splits = paths.stream()
                .flatMap(other -> CorpusFiles.parts(other, evaluatedBytes, session.hadoop()).stream())
                .flatMap(List::stream)
                .toList();
        var hadoop = session.hadoopBroadcast();
        Broadcast<Tokenizer> broadcast = session.broadcast(tokenizer);
        return new EvaluationSource(
                session.parallelize(splits).map(split -> read(
                                split, broadcast.value(), rule, hadoop.value().value())
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
                before = encode(new FileSplit(slice.file(), from, slice.start(), false), tokenizer, malformed, hadoop);
                bytes *= 2;
            } while (before.length == 0 && bytes < 2 * slice.start());
        }
        int context = Math.min(before.length, EvaluationLanes.WARM_UP + 1);
        IntStream warmUp = IntStream.of(before).skip(before.length - (long) context);
        int[] scored = encode(slice, tokenizer, malformed, hadoop);
        return new EvaluationLanes(
                IntStream.concat(warmUp, IntStream.of(scored)).toArray(), context);
    }

    private static int[] encode(FileSplit slice, Tokenizer tokenizer, Malformed malformed, Configuration hadoop)
            throws IOException {
        IntStream.Builder tokens = IntStream.builder();
        try (SplitInput in = SplitInput.open(slice, tokenizer.boundary(), hadoop)) {
            tokenizer.encode(in, malformed, tokens);
        }
        return tokens.build().toArray();
    }
}
