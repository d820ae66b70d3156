package io.unroll.spark;

import io.unroll.checkpoint.WritableFolder;
import io.unroll.chunk.EvaluationLanes;
import io.unroll.chunk.TextSource;
import io.unroll.chunk.TokenIndex;
import io.unroll.chunk.TokenReader;
import io.unroll.chunk.TokenWriter;
import io.unroll.config.ConfigurationException;
import io.unroll.config.SettingNames;
import io.unroll.config.Settings;
import io.unroll.task.Score;
import io.unroll.text.CorpusFiles;
import io.unroll.text.Slice;
import io.unroll.text.SliceInput;
import io.unroll.text.Tokenizer;
import io.unroll.text.Vocabularies;
import io.unroll.text.Vocabulary;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;

/** Converts a text corpus to a vocabulary and token files, one task and file for about 16 MiB of text. */
final class TextPreparation extends CorpusPreparation {
    private static final long SLICE_BYTES = 16L << 20;
    private static final int CONTEXT_BYTES = 4096;

    private final Tokenizer tokenizer;
    private final long sliceBytes;

    TextPreparation(Session session, Settings.Corpus corpus, Optional<Vocabularies> givenVocabularies) {
        this(session, corpus, givenVocabularies, SLICE_BYTES);
    }

    /** @param sliceBytes minimum number of bytes that a task reads */
    TextPreparation(
            Session session, Settings.Corpus corpus, Optional<Vocabularies> givenVocabularies, long sliceBytes) {
        super(session, corpus, givenVocabularies);
        this.sliceBytes = sliceBytes;
        this.tokenizer = Tokenizer.of(corpus);
    }

    @Override
    String corpusHash() {
        return hash(CorpusFiles.parts(corpus.path(), sliceBytes, session.hadoop()));
    }

    @Override
    public PreparedCorpus prepare() throws IOException {
        List<List<Slice>> parts = CorpusFiles.parts(corpus.path(), sliceBytes, session.hadoop());
        String hash = hash(parts);
        // The tokenizer's toString contains exactly the settings that affect tokens.
        Path folder = folder(SettingNames.kebab(corpus.tokenizer()), hash, tokenizer);
        boolean found = isPrepared(folder, List.of(Vocabularies.TOKENS), () -> problem(folder, hash));
        if (!found) {
            WritableFolder.check(folder.toString(), "corpus.prepared", session.hadoop());
            Vocabulary vocabulary =
                    givenVocabularies.map(Vocabularies::tokens).orElseGet(() -> tokenizer.vocabulary(count(parts)));
            if (vocabulary.size() < 2) {
                throw new ConfigurationException(
                        corpus.path() + " contains fewer than two different symbols: there is nothing to learn.");
            }
            createFolder(folder);
            TokenIndex index = encode(parts, vocabulary, hash, folder);
            for (TokenIndex.Part part : index.parts()) {
                long bytes = part.tokens() * index.width();
                checkShared(new Path(folder, part.file()), bytes, bytes);
            }
            publish(folder, new Vocabularies(Map.of(Vocabularies.TOKENS, vocabulary)), TokenIndex.FILE, index);
        }
        TokenIndex index = readIndex(TokenIndex.FILE, folder);
        return new PreparedCorpus(
                folder.toString(),
                vocabularies(folder),
                new TextSource(folder.toString(), index, corpus.validation(), corpus.test()),
                found);
    }

    private Vocabularies vocabularies(Path folder) throws IOException {
        return Vocabularies.read(fs(), folder, List.of(Vocabularies.TOKENS));
    }

    /** @return what is wrong with the prepared files; empty if nothing is */
    private String problem(Path folder, String hash) throws IOException {
        TokenIndex index = readIndex(TokenIndex.FILE, folder);
        Vocabularies vocabularies = vocabularies(folder);
        vocabularies.checkPrefixes(Map.of(Vocabularies.TOKENS, tokenizer.vocabulary(Map.of())), "corpus.tokenizer");
        String problem = index.problem(hash, vocabularies);
        if (!problem.isEmpty()) {
            return problem;
        }
        Broadcast<SerializableConfiguration> hadoop = session.hadoopBroadcast();
        String source = folder.toString();
        int width = index.width();
        int vocabularySize = vocabularies.tokens().size();
        return firstProblem(session.map(
                CHECK_DESCRIPTION,
                index.parts(),
                part -> TokenReader.problem(
                        source, part, width, vocabularySize, hadoop.value().value())));
    }

    private Map<String, Long> count(List<List<Slice>> parts) {
        Broadcast<SerializableConfiguration> hadoop = session.hadoopBroadcast();
        Tokenizer tokens = tokenizer;
        Map<String, Long> total = new TreeMap<>();
        session.map(
                        "prepare: count symbols",
                        parts,
                        part -> count(part, tokens, hadoop.value().value()))
                .forEach(counts -> counts.forEach((symbol, count) -> total.merge(symbol, count, Long::sum)));
        return total;
    }

    private static Map<String, Long> count(List<Slice> part, Tokenizer tokenizer, Configuration hadoop)
            throws IOException {
        Map<String, Long> counts = new HashMap<>();
        for (Slice slice : part) {
            try (SliceInput in = SliceInput.open(slice, tokenizer.boundary(), hadoop)) {
                tokenizer.count(in, counts);
            }
        }
        return counts;
    }

    private TokenIndex encode(List<List<Slice>> parts, Vocabulary vocabulary, String hash, Path folder) {
        Broadcast<SerializableConfiguration> hadoop = session.hadoopBroadcast();
        Broadcast<Vocabulary> vocabularyBroadcast = session.broadcast(vocabulary);
        int width = TokenIndex.width(vocabulary.size());
        Tokenizer tokens = tokenizer;
        String target = folder.toString();
        List<NumberedPart> numbered = IntStream.range(0, parts.size())
                .mapToObj(number -> new NumberedPart(number, new ArrayList<>(parts.get(number))))
                .toList();
        List<TokenIndex.Part> written = session.map(
                "prepare: encode",
                numbered,
                part -> encode(
                        part.slices(),
                        tokens,
                        vocabularyBroadcast.value(),
                        width,
                        new Path(
                                target,
                                String.format(Locale.ROOT, "tokens-%05d-%s.bin", part.number(), UUID.randomUUID())),
                        hadoop.value().value()));
        Vocabularies vocabularies = new Vocabularies(Map.of(Vocabularies.TOKENS, vocabulary));
        return new TokenIndex(hash, width, written, vocabularies.checksum());
    }

    private record NumberedPart(int number, List<Slice> slices) implements Serializable {}

    /** Writes a token file. Each attempt of a task has its own file; the index names the files that are used. */
    private static TokenIndex.Part encode(
            List<Slice> part, Tokenizer tokenizer, Vocabulary vocabulary, int width, Path file, Configuration hadoop)
            throws IOException {
        try (TokenWriter writer = new TokenWriter(PreparedFileOutput.create(file, hadoop), width)) {
            for (Slice slice : part) {
                try (SliceInput in = SliceInput.open(slice, tokenizer.boundary(), hadoop)) {
                    tokenizer.encode(in, vocabulary, writer);
                }
            }
            return new TokenIndex.Part(file.getName(), writer.tokens(), writer.checksum());
        }
    }

    /** Scores each file as a separate text, without its first token, which has no context. */
    @Override
    Optional<Score> evaluate(Evaluation evaluation, Vocabularies vocabularies, List<String> paths) {
        return evaluate(evaluation, vocabularies, paths, EvaluationLanes.SHARD);
    }

    /** @param bytes number of bytes that a task reads */
    Optional<Score> evaluate(Evaluation evaluation, Vocabularies vocabularies, List<String> paths, long bytes) {
        List<Slice> slices = paths.stream()
                .flatMap(path -> CorpusFiles.parts(path, bytes, session.hadoop()).stream())
                .flatMap(List::stream)
                .toList();
        var hadoop = session.hadoopBroadcast();
        Broadcast<Vocabulary> vocabularyBroadcast = evaluation.broadcast(vocabularies.tokens());
        Tokenizer tokens = tokenizer;
        int steps = evaluation.steps();
        return evaluation.score("evaluate", slices, slice -> read(
                        slice,
                        tokens,
                        vocabularyBroadcast.value(),
                        hadoop.value().value())
                .batches(steps));
    }

    /** Reads a slice, with the tokens before it as context for the network's state. */
    private static EvaluationLanes read(Slice slice, Tokenizer tokenizer, Vocabulary vocabulary, Configuration hadoop)
            throws IOException {
        int[] before = {};
        if (slice.start() > 0) {
            long bytes = CONTEXT_BYTES;
            do {
                long from = Math.max(0, slice.start() - bytes);
                before = encode(new Slice(slice.file(), from, slice.start(), false), tokenizer, vocabulary, hadoop);
                bytes *= 2;
            } while (before.length == 0 && bytes < 2 * slice.start());
        }
        int context = Math.min(before.length, EvaluationLanes.WARM_UP + 1);
        IntStream warmUp = IntStream.of(before).skip(before.length - (long) context);
        int[] scored = encode(slice, tokenizer, vocabulary, hadoop);
        return new EvaluationLanes(
                IntStream.concat(warmUp, IntStream.of(scored)).toArray(), context);
    }

    private static int[] encode(Slice slice, Tokenizer tokenizer, Vocabulary vocabulary, Configuration hadoop)
            throws IOException {
        IntStream.Builder tokens = IntStream.builder();
        try (SliceInput in = SliceInput.open(slice, tokenizer.boundary(), hadoop)) {
            tokenizer.encode(in, vocabulary, tokens);
        }
        return tokens.build().toArray();
    }
}
