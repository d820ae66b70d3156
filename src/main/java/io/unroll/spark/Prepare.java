package io.unroll.spark;

import io.unroll.checkpoint.Model;
import io.unroll.checkpoint.OwnFiles;
import io.unroll.config.ConfigurationException;
import io.unroll.config.DamagedFileException;
import io.unroll.config.Settings;
import io.unroll.config.UnrollException;
import io.unroll.config.Words;
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

/** Turns corpus files into what can be trained on, or finds what an earlier run has made. */
public abstract class Prepare {
    private static final Logger LOG = LoggerFactory.getLogger(Prepare.class);
    private static final String INDEX = "index.json";

    static final String CHECK = "prepare: check what is prepared";

    final Session session;
    final Settings.Corpus corpus;
    final Optional<Vocabularies> given;

    /** @param given vocabularies to encode with, whatever the corpus holds; empty where they are made from it */
    Prepare(Session session, Settings.Corpus corpus, Optional<Vocabularies> given) {
        this.session = session;
        this.corpus = corpus;
        this.given = given;
    }

    /** @return that of what is prepared; files are evaluated without it */
    final FileSystem fs() throws IOException {
        return new Path(corpus.prepared()).getFileSystem(session.hadoop());
    }

    /** @param start where training starts from, if not from random weights */
    public static Prepare of(Session session, Settings settings, Task task, Optional<Model> start) {
        Optional<Vocabularies> given = start.map(Model::vocabularies);
        return task.examples().isPresent()
                ? new PrepareExamples(session, settings, task, given)
                : new PrepareText(session, settings.corpus(), given);
    }

    /** @return a hash of the corpus' content, as the model's manifest has it */
    abstract String corpusHash();

    public abstract PreparedCorpus prepare() throws IOException;

    /** @return the score over files of this kind; empty where there is none */
    abstract Optional<Score> evaluate(Evaluation evaluation, Vocabularies vocabularies, List<String> paths)
            throws IOException;

    /** @return the folder for a corpus of this content, with the settings that decide what is made of it */
    final Path folder(String kind, String hash, Object... settings) throws IOException {
        StringBuilder all = new StringBuilder(hash);
        for (Object setting : settings) {
            all.append(' ').append(setting instanceof Enum<?> choice ? Words.kebab(choice) : setting);
        }
        given.ifPresent(vocabularies -> all.append(' ').append(vocabularies.symbols()));
        byte[] digest = sha256().digest(all.toString().getBytes(StandardCharsets.UTF_8));
        String name = kind + "-" + HexFormat.of().formatHex(digest, 0, 8);
        return fs().makeQualified(new Path(corpus.prepared(), name));
    }

    interface Check {
        /** @return what is wrong with what is prepared; empty where nothing is */
        String problem() throws IOException;
    }

    /**
     * @param names of the vocabularies
     * @return whether the folder is prepared; if it has changed since, it is to be prepared again
     */
    final boolean isPrepared(Path folder, List<String> names, Check check) throws IOException {
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
            OwnFiles.PREPARED.checkFile(fs(), index);
            Vocabularies.delete(fs(), folder, names);
            // Last: an index of ours is what makes the others ours.
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

    final void makeFolder(Path folder) {
        try {
            if (!fs().mkdirs(folder)) {
                throw new IOException("the folder cannot be made");
            }
            for (FileStatus file :
                    fs().listStatus(folder, path -> path.getName().endsWith(".json"))) {
                OwnFiles.PREPARED.checkFile(fs(), file.getPath());
            }
        } catch (IOException | FSError e) {
            throw new ConfigurationException(
                    folder + " cannot be written: " + e.getMessage() + ". Give another corpus.prepared.", e);
        }
    }

    /** @throws UnrollException where the driver does not see what a task has written */
    final void checkShared(Path file, long least, long most) throws IOException {
        long length = fs().exists(file) ? fs().getFileStatus(file).getLen() : -1;
        if (length < least || length > most) {
            throw new UnrollException("the driver does not see " + file + ", which a task has written: "
                    + "corpus.prepared must be a folder that every machine of the cluster shares.");
        }
    }

    /** The index comes last, by a rename, and makes the folder whole. */
    final <T> void publish(Path folder, Vocabularies vocabularies, JsonFile<T> file, T index) throws IOException {
        try {
            vocabularies.write(fs(), folder);
            Path draft = new Path(folder, INDEX + "-" + UUID.randomUUID());
            try (OutputStream out = PreparedFile.create(draft, session.hadoop())) {
                out.write(file.bytes(index));
            }
            try {
                fs().rename(draft, new Path(folder, INDEX));
            } catch (FileAlreadyExistsException e) {
                LOG.info("another run has prepared {} meanwhile", folder, e);
            }
            fs().delete(draft, false);
        } catch (IOException | FSError e) {
            throw PreparedFile.cannotWrite(folder, e);
        }
    }

    /** @return a hash of the files' content and order, whatever their names */
    final String hash(List<List<Slice>> parts) {
        Broadcast<SerializableConfiguration> hadoop = session.hadoopBroadcast();
        MessageDigest all = sha256();
        session.map(
                        "prepare: look for what is prepared",
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

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
