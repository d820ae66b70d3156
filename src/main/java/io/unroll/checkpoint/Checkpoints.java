package io.unroll.checkpoint;

import io.unroll.config.ConfigurationException;
import io.unroll.config.DamagedFileException;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.config.UnrollException;
import io.unroll.model.NetworkShape;
import io.unroll.train.RunState;
import io.unroll.train.Snapshot;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
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

/** The checkpoints of one run: a file each, published by a rename, in the run's folder. */
public final class Checkpoints {
    private static final Pattern NAME = Pattern.compile("round-(\\d{8})\\.checkpoint");

    private final Settings settings;
    private final Path folder;
    private final FileSystem fs;

    public Checkpoints(Settings settings, Configuration hadoop) throws IOException {
        this.settings = settings;
        Path path = new Path(settings.run().directory(), "checkpoints");
        this.fs = path.getFileSystem(hadoop);
        this.folder = fs.makeQualified(path);
    }

    /**
     * The newest checkpoint that can be read.
     *
     * @param finished whether its run, with the settings it had, was over
     * @param differences from those settings
     * @param corpus hash of the corpus' content then
     */
    public record Found(String path, RunState state, boolean finished, List<String> differences, String corpus) {
        /**
         * @param lanes of each replica
         * @throws UnrollException where the arrays are not those of such a run
         */
        public void checkArrays(NetworkShape shape, int replicas, int lanes) {
            Snapshot snapshot = state.snapshot();
            int optimizer = shape.optimizerSize();
            boolean fits = snapshot.weights().parameters().length == shape.parameters()
                    && isEmptyOr(shape.parameters(), snapshot.velocity())
                    && isEmptyOr(optimizer, snapshot.weights().optimizer())
                    && snapshot.states().size() == replicas
                    && snapshot.states().stream()
                            .allMatch(each ->
                                    isEmptyOr(optimizer, each.optimizer()) && shape.hasState(each.recurrent(), lanes));
            if (!fits) {
                throw new UnrollException(path + " is damaged: its arrays and its settings disagree. Delete it to "
                        + "resume from the previous checkpoint.");
            }
        }

        private static boolean isEmptyOr(int length, float[] array) {
            return array.length == 0 || array.length == length;
        }

        /** @throws ConfigurationException saying what differs */
        public void checkSameRun(String corpusNow) {
            List<String> all = new ArrayList<>(differences);
            if (!corpus.equals(corpusNow)) {
                all.add("the content of corpus.path has changed");
            }
            if (!all.isEmpty()) {
                throw new ConfigurationException(path + " is of another run: " + String.join("; ", all)
                        + ". To resume, restore the earlier settings and corpus; to start from scratch, set another "
                        + "run.directory or"
                        + " delete " + new Path(path).getParent() + ".");
            }
        }
    }

    /** @param damaged hears of each that cannot be used, and why */
    public Optional<Found> latest(BiConsumer<String, String> damaged) {
        try {
            List<Path> oldestFirst = files();
            for (int i = oldestFirst.size() - 1; i >= 0; i--) {
                String name = oldestFirst.get(i).toString();
                try {
                    return Optional.of(found(oldestFirst.get(i)));
                } catch (EOFException e) {
                    damaged.accept(name, "it ends too early");
                } catch (CheckpointFile.DamagedException | DamagedFileException | ChecksumException e) {
                    damaged.accept(name, DraftFile.reason(e));
                }
            }
            if (!oldestFirst.isEmpty()) {
                throw new UnrollException(
                        "every checkpoint in " + folder + " is damaged: delete that folder to start from scratch.");
            }
            return Optional.empty();
        } catch (IOException e) {
            throw new UnrollException(
                    "cannot read the checkpoints in " + folder + ": " + DraftFile.reason(e)
                            + ". Nothing is lost: fix the cause and run the same command again.",
                    e);
        }
    }

    private Found found(Path file) throws IOException {
        CheckpointFile.Contents contents = read(file);
        try {
            return new Found(
                    file.toString(),
                    contents.state(),
                    contents.state()
                            .finished(SettingsReader.parse(contents.settings(), "its settings")
                                    .training()),
                    SettingsReader.differences(settings, contents.settings(), file.toString()),
                    contents.corpus());
        } catch (ConfigurationException e) {
            throw new CheckpointFile.DamagedException(e.getMessage());
        }
    }

    /** @return what was checkpointed after so many rounds */
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
     * Publishes a checkpoint in one step, then deletes those that are no longer kept.
     *
     * @param corpus hash of the corpus' content
     */
    public void write(RunState state, String corpus) {
        Path file = file(state.snapshot().round());
        // A name of its own: a driver that is taken for dead may still write.
        Path draft = new Path(folder, "." + file.getName() + "-" + UUID.randomUUID() + ".draft");
        try {
            keepAsideUnlessOwn(file);
            DraftFile.write(
                    fs,
                    file,
                    draft,
                    out -> CheckpointFile.write(new CheckpointFile.Contents(settings.text(), corpus, state), out));
            prune(state);
        } catch (IOException e) {
            throw new UnrollException(
                    "cannot write the checkpoint " + file + ": " + DraftFile.reason(e)
                            + ". Free space or fix the cause, and run the same command again: it resumes from the "
                            + "previous checkpoint.",
                    e);
        }
    }

    /** What comes from later rounds is damaged, or the run would have gone on from there. */
    private void prune(RunState state) throws IOException {
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
            if (OwnFiles.CHECKPOINTS.made(fs, fs.getFileStatus(file))) {
                fs.delete(file, false);
            }
        } catch (FileNotFoundException e) {
            // a driver that is taken for dead has renamed or deleted it meanwhile
        }
    }

    /**
     * Ignores hidden files, and files that only have a checkpoint's name; nothing deletes them.
     *
     * @throws ConfigurationException where there is anything else
     */
    void checkOwn() throws IOException {
        for (FileStatus file : list()) {
            Path path = file.getPath();
            if (!(file.isFile() && OwnFiles.CHECKPOINTS.isName(path))
                    && !path.getName().startsWith(".")) {
                throw OwnFiles.foreign(path);
            }
        }
    }

    private void keepAsideUnlessOwn(Path file) throws IOException {
        if (fs.exists(file) && !OwnFiles.CHECKPOINTS.made(fs, fs.getFileStatus(file))) {
            fs.rename(file, new Path(folder, "." + file.getName() + "-" + UUID.randomUUID() + ".unknown"));
        }
    }

    /** @return whether there are any, whatever they are worth */
    public boolean exist() {
        try {
            return !files().isEmpty();
        } catch (IOException e) {
            throw new UnrollException("cannot list " + folder + ": " + DraftFile.reason(e), e);
        }
    }

    /** Forgets an earlier run. */
    public void clear() {
        try {
            for (FileStatus file : list()) {
                delete(file.getPath());
            }
        } catch (IOException e) {
            throw new UnrollException("cannot delete " + folder + ": " + e.getMessage(), e);
        }
    }

    private Path file(int round) {
        return new Path(folder, String.format(Locale.ROOT, "round-%08d.checkpoint", round));
    }

    /** @return in the order of their rounds */
    private List<Path> files() throws IOException {
        return Arrays.stream(list())
                .map(FileStatus::getPath)
                .filter(path -> round(path) >= 0)
                .sorted(Comparator.comparing(Checkpoints::round))
                .toList();
    }

    private FileStatus[] list() throws IOException {
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
