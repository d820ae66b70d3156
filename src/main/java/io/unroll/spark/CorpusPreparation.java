package io.unroll.spark;

import io.unroll.checkpoint.TrainedModel;
import io.unroll.chunk.BatchSource;
import io.unroll.chunk.EvaluationLanes;
import io.unroll.chunk.SequenceIndex;
import io.unroll.chunk.SequenceStore;
import io.unroll.config.ConfigurationException;
import io.unroll.config.DamagedFileException;
import io.unroll.config.SettingNames;
import io.unroll.config.Settings;
import io.unroll.config.UnrollException;
import io.unroll.storage.FileSplit;
import io.unroll.storage.NewFolders;
import io.unroll.storage.PreparedFileOutput;
import io.unroll.storage.SplitInput;
import io.unroll.storage.UnrollFiles;
import io.unroll.storage.VocabularyFiles;
import io.unroll.storage.WritableFolder;
import io.unroll.task.Task;
import io.unroll.text.Boundary;
import io.unroll.text.Vocabularies;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.commons.io.function.IORunnable;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.FSError;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Converts a corpus to vocabularies and a store of sequences in a folder below {@code corpus.prepared}, or finds the
 * folder that an earlier run has prepared. The folder's name is a hash of the content and of the settings that affect
 * it.
 */
public abstract class CorpusPreparation {
    private static final Logger LOG = LoggerFactory.getLogger(CorpusPreparation.class);
    private static final String INDEX = "index.json";
    /** Overrides for rows that are not trained on, and need no columns for that. */
    static final List<String> ONLY_FOR_TRAINING = List.of("corpus.split-by=auto", "corpus.columns.weight=");

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
        Settings.Corpus corpus = settings.corpus();
        boolean isOneText = settings.task() == Settings.TaskName.LANGUAGE_MODEL && !corpus.hasDocuments();
        if (isOneText && !corpus.splitBy().equals("auto")) {
            throw new ConfigurationException("corpus.split-by is " + corpus.splitBy() + ", but the corpus is one text,"
                    + " whose end is held out: remove it, or set corpus.documents = reset.");
        }
        if (isOneText && !corpus.columns().get(RowSource.WEIGHT).isBlank()) {
            throw new ConfigurationException("corpus.columns.weight is "
                    + corpus.columns().get(RowSource.WEIGHT)
                    + ", but the corpus is one text, whose rows have no weights: remove it, or set corpus.documents ="
                    + " reset.");
        }
        if (task.examples().isEmpty()) {
            RowSource.refuseOptions(corpus);
            if (!corpus.columns().get("text").equals("text")) {
                throw new ConfigurationException("corpus.columns.text is "
                        + corpus.columns().get("text") + ", but " + corpus.source()
                        + " is read as one text, which has no columns: set corpus.documents = reset for a document per"
                        + " row, or corpus.columns.order for rows in an order, or remove it.");
            }
            return new FileText(session, corpus, givenVocabularies, Session.TASK_BYTES, EvaluationLanes.SHARD);
        }
        RowSource source = new RowSource(session, corpus, task.examples().get().columns(), isOneText);
        RowReader reader = RowReader.of(session, settings, task.examples().get(), source.fields(), givenVocabularies);
        if (!isOneText) {
            return new ExamplePreparation(session, settings, task, givenVocabularies, source, reader);
        }
        if (!source.fields().contains(RowSource.ORDER)) {
            throw new ConfigurationException("corpus.columns.order is not set, but the rows of " + source.name()
                    + " have no order of their own: set it to a column, or set corpus.documents = reset, so that"
                    + " each row is a document.");
        }
        return new RowText(session, corpus, givenVocabularies, source, reader);
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

    /**
     * @param paths of files in the format of this corpus; none for its table or query
     * @param steps time steps per batch of a text
     */
    abstract EvaluationSource evaluationSource(List<String> paths, Vocabularies vocabularies, int steps);

    /**
     * @param hash of the corpus' content
     * @param settings that affect the prepared files
     * @return the folder for the prepared files
     */
    final Path folder(String kind, String hash, Object... settings) throws IOException {
        StringBuilder key = new StringBuilder(hash + " " + SequenceIndex.FILE.format() + SequenceIndex.FILE.version());
        for (Object setting : settings) {
            key.append(' ').append(setting instanceof Enum<?> choice ? SettingNames.kebab(choice) : setting);
        }
        givenVocabularies.ifPresent(vocabularies -> key.append(' ').append(vocabularies.symbols()));
        String name = kind + "-" + DigestUtils.sha256Hex(key.toString()).substring(0, 16);
        return fs().makeQualified(new Path(corpus.prepared(), name));
    }

    /**
     * Checks prepared files. If they are damaged, deletes the index and the vocabularies, so that they are prepared
     * again.
     *
     * @return whether the folder contains valid prepared files
     */
    private boolean isPrepared(Path folder, String hash, List<String> vocabularyNames) throws IOException {
        Path index = new Path(folder, INDEX);
        if (!fs().exists(index)) {
            return false;
        }
        String problem;
        try {
            problem = problem(folder, hash, vocabularyNames);
        } catch (DamagedFileException e) {
            problem = e.getMessage();
        } catch (FileNotFoundException | ChecksumException e) {
            problem = "a file is missing or damaged, " + e.getMessage();
        }
        if (!problem.isEmpty()) {
            LOG.warn("{} cannot be used, and the corpus is prepared again: {}", folder, problem);
            UnrollFiles.PREPARED.checkFile(fs(), index);
            VocabularyFiles.delete(fs(), folder, vocabularyNames);
            // The index is deleted last: it proves that Unroll wrote the other files.
            fs().delete(index, false);
        }
        return problem.isEmpty();
    }

    /** @return what is wrong with the prepared files; empty if nothing is */
    private String problem(Path folder, String hash, List<String> vocabularyNames) throws IOException {
        SequenceIndex index = SequenceIndex.FILE.read(fs(), new Path(folder, INDEX));
        if (!index.isIntact(hash, VocabularyFiles.read(fs(), folder, vocabularyNames))) {
            return "its index has changed, does not match its vocabularies, or was written by an older Unroll";
        }
        var hadoop = session.hadoopBroadcast();
        String source = folder.toString();
        return session
                .map(
                        "prepare: check prepared files",
                        index.parts(),
                        part -> SequenceStore.problem(
                                source, part, hadoop.value().value()))
                .stream()
                .filter(problem -> !problem.isEmpty())
                .findFirst()
                .orElse("");
    }

    /**
     * Writes the prepared files, unless the folder contains valid ones, and opens them.
     *
     * @param write writes the files
     */
    final PreparedCorpus prepare(
            Path folder,
            String hash,
            List<String> vocabularyNames,
            Function<SequenceStore, BatchSource> source,
            IORunnable write)
            throws IOException {
        boolean found = isPrepared(folder, hash, vocabularyNames);
        if (!found) {
            WritableFolder.check(folder.toString(), "corpus.prepared", session.hadoop());
            write.run();
        }
        SequenceIndex index = SequenceIndex.FILE.read(fs(), new Path(folder, INDEX));
        return new PreparedCorpus(
                folder.toString(),
                VocabularyFiles.read(fs(), folder, vocabularyNames),
                source.apply(new SequenceStore(folder.toString(), index)),
                found);
    }

    /** @param hash sum of the hashes of the rows in the part */
    record WrittenPart(SequenceIndex.Part part, long hash) implements Serializable {
        /**
         * @param origin of the rows, for messages
         * @return the parts
         * @throws UnrollException if the rows are not those of the scan
         */
        static List<SequenceIndex.Part> parts(List<WrittenPart> written, RowScan scan, String origin) {
            scan.checkSame(origin, written.stream().mapToLong(WrittenPart::hash).sum());
            return written.stream().map(WrittenPart::part).toList();
        }
    }

    /** Creates the folder and writes the prepared files; if that fails, deletes what it has created. */
    final void create(Path folder, IORunnable write) throws IOException {
        boolean isNew = !fs().exists(folder);
        NewFolders newParents = NewFolders.before(fs(), folder.getParent());
        createFolder(folder);
        try {
            write.run();
        } catch (IOException | RuntimeException e) {
            if (isNew && !fs().exists(new Path(folder, INDEX))) {
                fs().delete(folder, true);
                newParents.deleteEmpty();
            }
            throw e;
        }
    }

    private void createFolder(Path folder) {
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
    private void checkShared(Path folder, SequenceIndex index) throws IOException {
        Map<String, Long> lengths = Stream.of(fs().listStatus(folder))
                .collect(Collectors.toMap(file -> file.getPath().getName(), FileStatus::getLen));
        index.fileLengths().forEach((name, length) -> {
            if (!length.equals(lengths.get(name))) {
                throw new UnrollException("the driver does not see " + new Path(folder, name)
                        + ", which a task has written: corpus.prepared must be in a file system that all machines of"
                        + " the cluster share.");
            }
        });
    }

    /** Writes the vocabularies and then, atomically, the index: only a folder with an index counts as prepared. */
    final void publish(Path folder, Vocabularies vocabularies, SequenceIndex index) throws IOException {
        checkShared(folder, index);
        try {
            VocabularyFiles.write(fs(), folder, vocabularies);
            Path draft = new Path(folder, INDEX + "-" + UUID.randomUUID());
            try (OutputStream out = PreparedFileOutput.create(draft, session.hadoop())) {
                out.write(SequenceIndex.FILE.bytes(index));
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
    static String hash(Session session, List<List<FileSplit>> parts) {
        var hadoop = session.hadoopBroadcast();
        MessageDigest digest = DigestUtils.getSha256Digest();
        session.map(
                        "prepare: hash the corpus",
                        parts,
                        part -> hash(part, hadoop.value().value()))
                .forEach(digest::update);
        return HexFormat.of().formatHex(digest.digest());
    }

    private static byte[] hash(List<FileSplit> part, Configuration hadoop) throws IOException {
        MessageDigest digest = DigestUtils.getSha256Digest();
        OutputStream digested = new DigestOutputStream(OutputStream.nullOutputStream(), digest);
        for (FileSplit slice : part) {
            long bytes;
            try (SplitInput in = SplitInput.open(slice, Boundary.BYTE, hadoop)) {
                bytes = in.transferTo(digested);
            }
            // The hash depends on where files start, because a word never continues in the next file.
            digest.update(ByteBuffer.allocate(9)
                    .put((byte) (slice.start() == 0 ? 1 : 0))
                    .putLong(bytes)
                    .array());
        }
        return digest.digest();
    }
}
