package io.unroll.spark;

import io.unroll.chunk.TokenIndex;
import io.unroll.chunk.TokenWriter;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.config.UnrollException;
import io.unroll.config.Words;
import io.unroll.text.CorpusFiles;
import io.unroll.text.Slice;
import io.unroll.text.SliceInput;
import io.unroll.text.Tokenizer;
import io.unroll.text.Vocabulary;
import java.io.IOException;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Turns corpus files into a vocabulary and token files, or finds those that an earlier run has made. */
public final class Prepare {
    private static final Logger LOG = LoggerFactory.getLogger(Prepare.class);
    private static final long SLICE_BYTES = 16L << 20;

    private final Session session;
    private final Settings.Corpus corpus;
    private final Tokenizer tokenizer;
    private final FileSystem fs;
    private final long sliceBytes;

    public Prepare(Session session, Settings.Corpus corpus) throws IOException {
        this(session, corpus, SLICE_BYTES);
    }

    /** @param sliceBytes bytes that a task reads, at least */
    Prepare(Session session, Settings.Corpus corpus, long sliceBytes) throws IOException {
        this.sliceBytes = sliceBytes;
        this.session = session;
        this.corpus = corpus;
        this.tokenizer = Tokenizer.of(corpus);
        this.fs = new Path(corpus.prepared()).getFileSystem(session.hadoop());
    }

    /** @return a hash of the corpus' content, as the model's manifest has it */
    String corpusHash() {
        return hash(CorpusFiles.parts(corpus.path(), sliceBytes, session.hadoop()));
    }

    public PreparedCorpus prepare() throws IOException {
        List<List<Slice>> parts = CorpusFiles.parts(corpus.path(), sliceBytes, session.hadoop());
        String hash = hash(parts);
        Path folder = fs.makeQualified(new Path(corpus.prepared(), key(hash)));
        boolean found = fs.exists(new Path(folder, TokenIndex.NAME));
        if (!found) {
            Vocabulary vocabulary = tokenizer.vocabulary(count(parts));
            if (vocabulary.size() < 2) {
                throw new ConfigurationException(
                        corpus.path() + " holds fewer than two different symbols: there is nothing to learn.");
            }
            makeFolder(folder);
            publish(folder, vocabulary, encode(parts, vocabulary, hash, folder));
        }
        TokenIndex index = TokenIndex.FILE.read(fs, new Path(folder, TokenIndex.NAME));
        Vocabulary vocabulary = Vocabulary.FILE.read(fs, new Path(folder, Vocabulary.NAME));
        return new PreparedCorpus(folder.toString(), index, vocabulary, found);
    }

    private void makeFolder(Path folder) {
        try {
            if (!fs.mkdirs(folder)) {
                throw new IOException("the folder cannot be made");
            }
        } catch (IOException e) {
            throw new ConfigurationException(
                    folder + " cannot be written: " + e.getMessage() + ". Give another corpus.prepared.", e);
        }
    }

    /** @return a hash of the files' content and order, whatever their names */
    private String hash(List<List<Slice>> parts) {
        Broadcast<SerializableConfiguration> hadoop = session.hadoopBroadcast();
        MessageDigest all = sha256();
        session.map(
                        "prepare: look for token files",
                        parts,
                        part -> hash(part, hadoop.value().value()))
                .forEach(all::update);
        return HexFormat.of().formatHex(all.digest());
    }

    private static byte[] hash(List<Slice> part, Configuration hadoop) throws IOException {
        MessageDigest digest = sha256();
        byte[] buffer = new byte[1 << 16];
        for (Slice slice : part) {
            long bytes = 0;
            try (SliceInput in = SliceInput.open(slice, Slice.Boundary.BYTE, hadoop)) {
                for (int read = in.read(buffer, 0, buffer.length);
                        read >= 0;
                        read = in.read(buffer, 0, buffer.length)) {
                    digest.update(buffer, 0, read);
                    bytes += read;
                }
            }
            // A file's start matters: words do not run on from one file into the next.
            digest.update(ByteBuffer.allocate(9)
                    .put((byte) (slice.start() == 0 ? 1 : 0))
                    .putLong(bytes)
                    .array());
        }
        return digest.digest();
    }

    /** @return the folder's name: the corpus, and the settings that decide its tokens */
    private String key(String hash) {
        String settings = String.join(
                " ",
                hash,
                Words.kebab(corpus.tokenizer()),
                Integer.toString(corpus.minCount()),
                Integer.toString(corpus.maxVocabulary()),
                Words.kebab(corpus.malformed()));
        byte[] digest = sha256().digest(settings.getBytes(StandardCharsets.UTF_8));
        return Words.kebab(corpus.tokenizer()) + "-" + HexFormat.of().formatHex(digest, 0, 8);
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
        Broadcast<Vocabulary> words = session.broadcast(vocabulary);
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
                        words.value(),
                        width,
                        new Path(
                                target,
                                String.format(Locale.ROOT, "tokens-%05d-%s.bin", part.number(), UUID.randomUUID())),
                        hadoop.value().value()));
        return new TokenIndex(hash, width, written);
    }

    private record NumberedPart(int number, List<Slice> slices) implements Serializable {}

    /** Every attempt of a task writes a file of its own; the index names those that count. */
    private static TokenIndex.Part encode(
            List<Slice> part, Tokenizer tokenizer, Vocabulary vocabulary, int width, Path file, Configuration hadoop)
            throws IOException {
        try (TokenWriter writer = new TokenWriter(file.getFileSystem(hadoop).create(file), width)) {
            for (Slice slice : part) {
                try (SliceInput in = SliceInput.open(slice, tokenizer.boundary(), hadoop)) {
                    tokenizer.encode(in, vocabulary, writer);
                }
            }
            return new TokenIndex.Part(file.getName(), writer.tokens());
        }
    }

    /** The index comes last, by a rename, and makes the folder whole. */
    private void publish(Path folder, Vocabulary vocabulary, TokenIndex index) throws IOException {
        for (TokenIndex.Part part : index.parts()) {
            Path file = new Path(folder, part.file());
            if (!fs.exists(file) || fs.getFileStatus(file).getLen() != part.tokens() * index.width()) {
                throw new UnrollException("the driver does not see " + file + ", which a task has written: "
                        + "corpus.prepared must be a folder that every machine of the cluster shares.");
            }
        }
        Vocabulary.FILE.write(fs, new Path(folder, Vocabulary.NAME), vocabulary);
        Path draft = new Path(folder, TokenIndex.NAME + "-" + UUID.randomUUID());
        TokenIndex.FILE.write(fs, draft, index);
        try {
            fs.rename(draft, new Path(folder, TokenIndex.NAME));
        } catch (FileAlreadyExistsException e) {
            LOG.info("another run has prepared {} meanwhile", folder, e);
        }
        fs.delete(draft, false);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
