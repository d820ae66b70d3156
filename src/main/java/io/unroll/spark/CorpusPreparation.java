package io.unroll.spark;

import io.unroll.checkpoint.TrainedModel;
import io.unroll.checkpoint.UnrollFiles;
import io.unroll.config.ConfigurationException;
import io.unroll.config.DamagedFileException;
import io.unroll.config.SettingNames;
import io.unroll.config.Settings;
import io.unroll.config.UnrollException;
import io.unroll.task.Score;
import io.unroll.task.Task;
import io.unroll.text.JsonFile;
import io.unroll.text.Slice;
import io.unroll.text.SliceInput;
import io.unroll.text.Vocabularies;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.FSError;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Converts corpus files to vocabularies and integer-encoded files in a folder below {@code corpus.prepared}, or finds
 * the files that an earlier run has prepared. The folder's name is a hash of the content and of the settings that
 * affect it.
 */
public abstract class CorpusPreparation {
    private static final Logger LOG = LoggerFactory.getLogger(CorpusPreparation.class);
    private static final String INDEX = "index.json";

    static final String CHECK_DESCRIPTION = "prepare: check prepared files";

    final Session session;
    final Settings.Corpus corpus;
    final Optional<Vocabularies> givenVocabularies;

    /** @param givenVocabularies vocabularies of a warm start; if empty, they are built from the corpus */
    CorpusPreparation(Session session, Settings.Corpus corpus, Optional<Vocabularies> givenVocabularies) {
        this.session = session;
        this.corpus = corpus;
        this.givenVocabularies = givenVocabularies;
    }

    /** @return the file system of corpus.prepared; evaluating files does not need it */
    final FileSystem fs() throws IOException {
        return new Path(corpus.prepared()).getFileSystem(session.hadoop());
    }

    /** @param warmStart the model whose weights and vocabularies training starts from */
    public static CorpusPreparation of(
            Session session, Settings settings, Task task, Optional<TrainedModel> warmStart) {
        Optional<Vocabularies> givenVocabularies = warmStart.map(TrainedModel::vocabularies);
        return task.examples().isPresent()
                ? new ExamplePreparation(session, settings, task, givenVocabularies)
                : new TextPreparation(session, settings.corpus(), givenVocabularies);
    }

    /** @return the hash of the corpus' content that a model's manifest records */
    abstract String corpusHash();

    /**
     * Prepares the corpus, unless valid prepared files exist.
     *
     * @throws UnrollException if a row is malformed (unless corpus.malformed = skip), or a file cannot be read or
     *     written
     * @throws ConfigurationException if the corpus does not fit the settings
     */
    public abstract PreparedCorpus prepare() throws IOException;

    /** @return the score of a model on files in the format of this corpus; empty if there is nothing to predict */
    abstract Optional<Score> evaluate(Evaluation evaluation, Vocabularies vocabularies, List<String> paths)
            throws IOException;

    /**
     * @param hash of the corpus' content
     * @param settings that affect the prepared files
     * @return the folder for the prepared files
     */
    final Path folder(String kind, String hash, Object... settings) throws IOException {
        StringBuilder key = new StringBuilder(hash);
        for (Object setting : settings) {
            key.append(' ').append(setting instanceof Enum<?> choice ? SettingNames.kebab(choice) : setting);
        }
        givenVocabularies.ifPresent(vocabularies -> key.append(' ').append(vocabularies.symbols()));
        byte[] digest = sha256().digest(key.toString().getBytes(StandardCharsets.UTF_8));
        String name = kind + "-" + HexFormat.of().formatHex(digest, 0, 8);
        return fs().makeQualified(new Path(corpus.prepared(), name));
    }

    interface Check {
        /** @return what is wrong with the prepared files; empty if nothing is */
        String problem() throws IOException;
    }

    /**
     * Checks prepared files. If they are damaged, deletes the index and the vocabularies, so that they are prepared
     * again.
     *
     * @return whether the folder contains valid prepared files
     */
    final boolean isPrepared(Path folder, List<String> vocabularyNames, Check check) throws IOException {
        Path index = new Path(folder, INDEX);
        if (!fs().exists(index)) {
            return false;
        }
        String problem;
        try {
            problem = check.problem();
        } catch (DamagedFileException | IllegalArgumentException e) {
            problem = e.getMessage();
        } catch (FileNotFoundException | ChecksumException e) {
            problem = "a file is missing or damaged, " + e.getMessage();
        }
        if (!problem.isEmpty()) {
            LOG.warn("{} is damaged, and the corpus is prepared again: {}", folder, problem);
            UnrollFiles.PREPARED.checkFile(fs(), index);
            Vocabularies.delete(fs(), folder, vocabularyNames);
            // The index is deleted last: it proves that Unroll wrote the other files.
            fs().delete(index, false);
        }
        return problem.isEmpty();
    }

    static String firstProblem(List<String> problems) {
        return problems.stream()
                .filter(problem -> !problem.isEmpty())
                .findFirst()
                .orElse("");
    }

    final <T> T readIndex(JsonFile<T> file, Path folder) throws IOException {
        return file.read(fs(), new Path(folder, INDEX));
    }

    final void createFolder(Path folder) {
        try {
            if (!fs().mkdirs(folder)) {
                throw new IOException("the folder cannot be created");
            }
            for (FileStatus file :
                    fs().listStatus(folder, path -> path.getName().endsWith(".json"))) {
                UnrollFiles.PREPARED.checkFile(fs(), file.getPath());
            }
        } catch (IOException | FSError e) {
            throw new ConfigurationException(
                    folder + " cannot be written: " + e.getMessage() + ". Give another corpus.prepared.", e);
        }
    }

    /** @throws UnrollException if the driver does not see a file that a task has written */
    final void checkShared(Path file, long minBytes, long maxBytes) throws IOException {
        long length = fs().exists(file) ? fs().getFileStatus(file).getLen() : -1;
        if (length < minBytes || length > maxBytes) {
            throw new UnrollException("the driver does not see " + file + ", which a task has written: "
                    + "corpus.prepared must be in a file system that all machines of the cluster share.");
        }
    }

    /** Writes the vocabularies and then, atomically, the index: only a folder with an index counts as prepared. */
    final <T> void publish(Path folder, Vocabularies vocabularies, JsonFile<T> file, T index) throws IOException {
        try {
            vocabularies.write(fs(), folder);
            Path draft = new Path(folder, INDEX + "-" + UUID.randomUUID());
            try (OutputStream out = PreparedFileOutput.create(draft, session.hadoop())) {
                out.write(file.bytes(index));
            }
            try {
                fs().rename(draft, new Path(folder, INDEX));
            } catch (FileAlreadyExistsException e) {
                LOG.info("another run has just prepared {}", folder, e);
            }
            fs().delete(draft, false);
        } catch (IOException | FSError e) {
            throw PreparedFileOutput.cannotWrite(folder, e);
        }
    }

    /** @return a hash of the files' content and order, not of their names */
    final String hash(List<List<Slice>> parts) {
        Broadcast<SerializableConfiguration> hadoop = session.hadoopBroadcast();
        MessageDigest digest = sha256();
        session.map(
                        "prepare: hash the corpus",
                        parts,
                        part -> hash(part, hadoop.value().value()))
                .forEach(digest::update);
        return HexFormat.of().formatHex(digest.digest());
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
            // The hash depends on where files start, because a word never continues in the next file.
            digest.update(ByteBuffer.allocate(9)
                    .put((byte) (slice.start() == 0 ? 1 : 0))
                    .putLong(bytes)
                    .array());
        }
        return digest.digest();
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
