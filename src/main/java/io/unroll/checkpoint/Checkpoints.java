package io.unroll.checkpoint;

import io.unroll.config.ConfigurationException;
import io.unroll.config.DamagedFileException;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.config.UnrollException;
import io.unroll.model.NetworkShape;
import io.unroll.storage.AtomicFile;
import io.unroll.storage.UnrollFiles;
import io.unroll.train.RunState;
import io.unroll.train.Snapshot;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * The checkpoints of one run: one file per checkpoint in {@code <run.directory>/checkpoints}, published by a rename.
 */
public final class Checkpoints {
    private static final String FOLDER = "checkpoints";
    private static final Pattern NAME = Pattern.compile("round-(\\d{8})\\.checkpoint");

    private final Settings settings;
    private final Path folder;
    private final FileSystem fs;

    public Checkpoints(Settings settings, Configuration hadoop) throws IOException {
        this.settings = settings;
        Path path = new Path(settings.run().directory(), FOLDER);
        this.fs = path.getFileSystem(hadoop);
        this.folder = fs.makeQualified(path);
    }

    /**
     * The newest readable checkpoint.
     *
     * @param run the run that wrote it
     */
    public record LatestCheckpoint(RunIdentity run, RunState state) {
        /** @return whether the run was complete, by the settings stored in the checkpoint */
        boolean finished() {
            return state.finished(run.settings().training());
        }

        /**
         * Checks that the arrays have the sizes that the settings imply.
         *
         * @param lanes lanes (rows of the batch) per replica
         * @throws UnrollException if they do not
         */
        public void checkArrays(NetworkShape shape, int replicas, int lanes) {
            Snapshot snapshot = state.snapshot();
            int optimizer = shape.optimizerSize();
            boolean fits = snapshot.weights().parameters().length == shape.parameters()
                    && isEmptyOr(shape.parameters(), snapshot.velocity())
                    && isEmptyOr(optimizer, snapshot.weights().optimizer())
                    && snapshot.states().size() == replicas
                    && snapshot.states().stream()
                            .allMatch(replica -> isEmptyOr(optimizer, replica.optimizer())
                                    && shape.acceptsState(replica.recurrent(), lanes));
            if (!fits) {
                throw new UnrollException(
                        run.path() + " is damaged: the sizes of its arrays do not match its settings. "
                                + "Delete it to resume from the previous checkpoint.");
            }
        }

        private static boolean isEmptyOr(int length, float[] array) {
            return array.length == 0 || array.length == length;
        }
    }

    /**
     * Returns the newest readable checkpoint; empty if there are no checkpoints.
     *
     * @param damaged called with the path of each damaged checkpoint and the reason
     * @throws UnrollException if all checkpoints are damaged, or if they cannot be read now
     */
    public Optional<LatestCheckpoint> latest(BiConsumer<String, String> damaged) {
        try {
            List<Path> oldestFirst = files();
            for (int i = oldestFirst.size() - 1; i >= 0; i--) {
                String name = oldestFirst.get(i).toString();
                try {
                    return Optional.of(readLatest(oldestFirst.get(i)));
                } catch (EOFException e) {
                    damaged.accept(name, "it ends too early");
                } catch (CheckpointFile.InvalidCheckpointException | DamagedFileException | ChecksumException e) {
                    damaged.accept(name, AtomicFile.reason(e));
                }
            }
            if (!oldestFirst.isEmpty()) {
                throw new UnrollException(
                        "every checkpoint in " + folder + " is damaged: delete that folder to start from scratch.");
            }
            return Optional.empty();
        } catch (IOException e) {
            throw new UnrollException(
                    "cannot read the checkpoints in " + folder + ": " + AtomicFile.reason(e)
                            + ". Nothing is lost: fix the cause and run the same command again.",
                    e);
        }
    }

    private LatestCheckpoint readLatest(Path file) throws IOException {
        CheckpointFile.Contents contents = read(file);
        try {
            Settings stored = SettingsReader.parse(contents.settings(), "its settings");
            return new LatestCheckpoint(RunIdentity.ofCheckpoint(file, stored, contents.corpus()), contents.state());
        } catch (ConfigurationException e) {
            throw new CheckpointFile.InvalidCheckpointException(e.getMessage());
        }
    }

    /** @return the state stored in the checkpoint of this round */
    public RunState read(int round) {
        Path file = file(round);
        try {
            return read(file).state();
        } catch (IOException e) {
            throw new UnrollException("cannot read the best checkpoint, " + file + ": " + e.getMessage(), e);
        }
    }

    private CheckpointFile.Contents read(Path file) throws IOException {
        try (InputStream in = fs.open(file)) {
            return CheckpointFile.read(in, fs.getFileStatus(file).getLen(), file.toString());
        }
    }

    /**
     * Writes a checkpoint and publishes it by a rename, then deletes old checkpoints beyond
     * {@code run.checkpoint.keep}.
     *
     * @param corpus hash of the corpus content
     */
    public void write(RunState state, String corpus) {
        Path file = file(state.snapshot().round());
        // A unique name, because another driver, whose lock this one took over, may still be writing.
        Path draft = new Path(folder, "." + file.getName() + "-" + UUID.randomUUID() + ".draft");
        try {
            moveForeignFileAside(file);
            AtomicFile.write(
                    fs,
                    file,
                    draft,
                    out -> CheckpointFile.write(new CheckpointFile.Contents(settings.text(), corpus, state), out));
            deleteOld(state);
        } catch (IOException e) {
            throw new UnrollException(
                    "cannot write the checkpoint " + file + ": " + AtomicFile.reason(e)
                            + ". Free space or fix the cause, and run the same command again: it resumes from the "
                            + "previous checkpoint.",
                    e);
        }
    }

    /** Ignores checkpoints of later rounds: they are damaged, otherwise the run would have resumed from them. */
    private void deleteOld(RunState state) throws IOException {
        int newest = state.snapshot().round();
        List<Path> files =
                files().stream().filter(file -> round(file) <= newest).toList();
        int keep = settings.run().checkpoint().keep();
        Path best = state.best() == null ? null : file(state.best().round());
        for (Path file : files.subList(0, Math.max(0, files.size() - keep))) {
            if (!file.equals(best)) {
                delete(file);
            }
        }
        for (FileStatus draft : fs.listStatus(folder, path -> path.getName().endsWith(".draft"))) {
            delete(draft.getPath());
        }
    }

    private void delete(Path file) throws IOException {
        try {
            if (UnrollFiles.CHECKPOINTS.isWrittenByUnroll(fs, fs.getFileStatus(file))) {
                fs.delete(file, false);
            }
        } catch (FileNotFoundException e) {
            // Another driver, whose lock this one took over, has renamed or deleted the file.
        }
    }

    /**
     * Checks that the folder contains only checkpoints. Hidden files, and files with the name of a checkpoint but other
     * content, are allowed; they are never deleted.
     *
     * @throws ConfigurationException naming a file that is neither
     */
    void checkNoForeignFiles() throws IOException {
        for (FileStatus file : list(folder, fs)) {
            Path path = file.getPath();
            if (!(file.isFile() && UnrollFiles.CHECKPOINTS.hasKnownName(path))
                    && !path.getName().startsWith(".")) {
                throw UnrollFiles.foreignFile(path);
            }
        }
    }

    private void moveForeignFileAside(Path file) throws IOException {
        if (fs.exists(file) && !UnrollFiles.CHECKPOINTS.isWrittenByUnroll(fs, fs.getFileStatus(file))) {
            fs.rename(file, new Path(folder, "." + file.getName() + "-" + UUID.randomUUID() + ".unknown"));
        }
    }

    /** @return whether there are any checkpoints, readable or damaged */
    public boolean exist() {
        try {
            return existIn(folder.getParent(), fs);
        } catch (IOException e) {
            throw new UnrollException("cannot list " + folder + ": " + AtomicFile.reason(e), e);
        }
    }

    static boolean existIn(Path runDirectory, FileSystem fs) throws IOException {
        return Arrays.stream(list(new Path(runDirectory, FOLDER), fs)).anyMatch(file -> round(file.getPath()) >= 0);
    }

    public void clear() {
        try {
            for (FileStatus file : list(folder, fs)) {
                delete(file.getPath());
            }
        } catch (IOException e) {
            throw new UnrollException("cannot delete " + folder + ": " + e.getMessage(), e);
        }
    }

    private Path file(int round) {
        return new Path(folder, String.format(Locale.ROOT, "round-%08d.checkpoint", round));
    }

    /** @return the checkpoint files, oldest round first */
    private List<Path> files() throws IOException {
        return Arrays.stream(list(folder, fs))
                .map(FileStatus::getPath)
                .filter(path -> round(path) >= 0)
                .sorted(Comparator.comparing(Checkpoints::round))
                .toList();
    }

    private static FileStatus[] list(Path folder, FileSystem fs) throws IOException {
        try {
            return fs.listStatus(folder);
        } catch (FileNotFoundException e) {
            return new FileStatus[0];
        }
    }

    private static int round(Path path) {
        Matcher matcher = NAME.matcher(path.getName());
        return matcher.matches() ? Integer.parseInt(matcher.group(1)) : -1;
    }
}
