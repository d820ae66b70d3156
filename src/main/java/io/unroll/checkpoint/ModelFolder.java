package io.unroll.checkpoint;

import com.typesafe.config.ConfigUtil;
import io.unroll.config.ConfigurationException;
import io.unroll.config.DamagedFileException;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.config.UnrollException;
import io.unroll.model.NetworkShape;
import io.unroll.model.NetworkZip;
import io.unroll.task.Task;
import io.unroll.text.JsonFile;
import io.unroll.text.Vocabularies;
import io.unroll.train.FloatArray;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.zip.ZipException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.FSError;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FileUtil;
import org.apache.hadoop.fs.Path;

/**
 * A model on disk: {@code network.zip} and where there are such {@code encoder.zip}, {@code encoder-forward.zip} and
 * {@code attention.zip} (plain Deeplearning4j), {@code vocabulary.json} and what other vocabularies the task has,
 * {@code settings.conf} and {@code manifest.json}; and a copy of what {@code model.image.network} names.
 */
public final class ModelFolder {
    private static final String SETTINGS = "settings.conf";
    private static final String MANIFEST = "manifest.json";
    private static final int MAX_SETTINGS_BYTES = 1 << 20;
    private static final int BLOCK = 1 << 20;

    private final Path path;
    private final FileSystem fs;
    private final FolderSwap swap;

    public ModelFolder(String path, Configuration hadoop) {
        try {
            this.path = new Path(path);
            this.fs = this.path.getFileSystem(hadoop);
            this.swap = new FolderSwap(fs, this.path);
        } catch (IOException | RuntimeException e) {
            throw new ConfigurationException(path + " is no usable path: " + e.getMessage(), e);
        }
    }

    /**
     * @return the model of {@code training.start-from}; empty where training starts from random weights
     * @throws ConfigurationException where its network is another, saying what differs
     */
    public static Optional<Model> start(Settings settings, Configuration hadoop) {
        String path = settings.training().startFrom();
        if (path.isBlank()) {
            return Optional.empty();
        }
        Model model;
        try {
            model = new ModelFolder(path, hadoop).read();
        } catch (ConfigurationException e) {
            throw new ConfigurationException("training.start-from: " + e.getMessage(), e);
        }
        List<String> differences = new ArrayList<>(
                SettingsReader.differencesOfNetworks(settings, model.settings().text(), path + "/" + SETTINGS));
        if (differences.isEmpty() && !sameImageNetwork(settings, model.settings(), hadoop)) {
            differences.add("model.image.network is another file");
        }
        if (!differences.isEmpty()) {
            throw new ConfigurationException("training.start-from, " + path + ", has another network: "
                    + String.join("; ", differences) + ". Give the settings that it was trained with.");
        }
        return Optional.of(model);
    }

    private static boolean sameImageNetwork(Settings one, Settings other, Configuration hadoop) {
        if (one.model().image().network().isBlank()) {
            return true;
        }
        Path mine = new Path(one.model().image().network());
        Path its = new Path(other.model().image().network());
        try {
            return sameBytes(mine.getFileSystem(hadoop), mine, its.getFileSystem(hadoop), its);
        } catch (IOException e) {
            throw new ConfigurationException("model.image.network cannot be read: " + e.getMessage(), e);
        }
    }

    public Path path() {
        return path;
    }

    /**
     * Keeps others from replacing this folder meanwhile.
     *
     * @param waiting hears why, where it takes a minute to see whether another process has it
     */
    public DirectoryLock lock(Consumer<String> waiting) {
        if (path.getName().contains(":")) {
            throw new ConfigurationException(path
                    + " is no usable path: Hadoop renames no folder that has a colon in its name. Give another name.");
        }
        Path file = new Path(path.getParent(), "." + path.getName() + "-lock");
        return DirectoryLock.of(file, path.toString(), fs.getConf(), waiting);
    }

    public boolean exists() {
        try {
            return fs.exists(path);
        } catch (IOException e) {
            throw new UnrollException("cannot read " + path + ": " + e.getMessage(), e);
        }
    }

    /**
     * @return the model of these settings that is there already; it may be of fewer epochs, from which its run can go
     *     on
     * @throws ConfigurationException where it is another's, saying what differs
     */
    public Model finished(Settings settings) {
        try {
            if (!fs.exists(new Path(path, MANIFEST))) {
                // Files of the user's are named.
                swap.checkOwn();
            }
        } catch (IOException e) {
            throw new UnrollException("cannot read " + path + ": " + DraftFile.reason(e), e);
        }
        Model model = read();
        List<String> differences =
                SettingsReader.differences(settings, model.settings().text(), path + "/" + SETTINGS);
        if (!differences.isEmpty()) {
            throw finishedOtherwise(String.join("; ", differences));
        }
        return model;
    }

    /** @param difference between the run that is asked for and the one that has made the model */
    public ConfigurationException finishedOtherwise(String difference) {
        return new ConfigurationException(path + " exists and is from another run: " + difference + ". " + wayOut());
    }

    /** @return that this model's run cannot go on to the epochs that are asked for */
    public ConfigurationException withoutCheckpoint(int epochs) {
        return new ConfigurationException(path + " was trained for fewer than " + epochs
                + " epochs, and there is no checkpoint to resume from: run.checkpoint.every was 0, or the checkpoints"
                + " were deleted. " + wayOut());
    }

    private String wayOut() {
        return "Set another run.directory, and training.start-from=" + path
                + " to start from its weights; or set run.overwrite=true to train from scratch and replace it.";
    }

    /** @throws ConfigurationException where the folder, or a draft of it, holds what Unroll has not made */
    public void checkOwn() {
        try {
            swap.recover(this::isWhole);
            swap.checkOwn();
        } catch (IOException e) {
            throw new UnrollException("cannot read " + path + ": " + DraftFile.reason(e), e);
        }
    }

    /**
     * @param key of the setting or argument that gives the folder's place
     * @throws ConfigurationException where nothing can be written beside the folder: better now than after training
     */
    public void checkWritable(String key) {
        WritableFolder.check(fs.makeQualified(path).getParent().toString(), key, fs.getConf());
    }

    /**
     * Publishes the model by a rename: a reader never finds half a folder where the file system renames in one step.
     */
    public void write(Model model, boolean overwrite) {
        Path draft = swap.draft();
        try {
            try {
                fs.mkdirs(draft);
                writeFiles(model, draft);
                if (!overwrite && exists()) {
                    throw new IOException("it exists: another process has created it since this run started");
                }
                swap.replaceBy(draft);
            } finally {
                fs.delete(draft, true);
            }
        } catch (IOException | FSError e) {
            throw new UnrollException("cannot write the model " + path + ": " + DraftFile.reason(e), e);
        }
    }

    /**
     * Replaces this folder, where there is one, by a copy of the other model.
     *
     * @return whether there was anything to do
     */
    public boolean copyFrom(ModelFolder source) {
        Path draft = swap.draft();
        try {
            Path from = source.folder();
            if (fs.exists(path) && sameFiles(source.fs, from)) {
                return false;
            }
            try {
                fs.mkdirs(draft);
                for (Path file : files(source.fs, from)) {
                    FileUtil.copy(source.fs, file, fs, new Path(draft, file.getName()), false, true, fs.getConf());
                }
                if (!isWhole(draft)) {
                    throw new IOException(from + " has changed meanwhile, or the copy is damaged");
                }
                swap.replaceBy(draft);
                return true;
            } finally {
                fs.delete(draft, true);
            }
        } catch (IOException | FSError e) {
            throw new UnrollException("cannot copy " + source.path + " to " + path + ": " + DraftFile.reason(e), e);
        }
    }

    private boolean sameFiles(FileSystem otherFs, Path other) throws IOException {
        for (Path file : files(otherFs, other)) {
            Path mine = new Path(path, file.getName());
            if (!fs.exists(mine) || !sameBytes(fs, mine, otherFs, file)) {
                return false;
            }
        }
        return true;
    }

    /** @return a model's own files, without what its users have put beside */
    private static List<Path> files(FileSystem fs, Path folder) throws IOException {
        List<Path> files = new ArrayList<>();
        for (FileStatus file : fs.listStatus(folder)) {
            if (OwnFiles.MODEL.made(fs, file)) {
                files.add(file.getPath());
            }
        }
        return files;
    }

    private static boolean sameBytes(FileSystem fs, Path one, FileSystem otherFs, Path other) throws IOException {
        try (InputStream mine = fs.open(one);
                InputStream its = otherFs.open(other)) {
            byte[] block;
            do {
                block = mine.readNBytes(BLOCK);
                if (!Arrays.equals(block, its.readNBytes(BLOCK))) {
                    return false;
                }
            } while (block.length > 0);
            return true;
        }
    }

    /**
     * Brings the model back that a process which died in {@link #write} or {@link #copyFrom} has left aside.
     *
     * @return whether there is a model now
     * @throws ConfigurationException where there is something else
     */
    public boolean recover() {
        try {
            swap.recover(this::isWhole);
            if (fs.exists(path) && !fs.exists(new Path(path, MANIFEST))) {
                throw new ConfigurationException(path + " is no model folder, and is not replaced by one: give a model "
                        + "that was published, or a name that is free.");
            }
            swap.checkOwn();
            return fs.exists(path);
        } catch (IOException e) {
            throw new UnrollException("cannot read " + path + ": " + e.getMessage(), e);
        }
    }

    /** @return whether there is something that is no model, such as what a process that died has published half */
    public boolean isPartial() {
        try {
            swap.recover(this::isWhole);
            return exists() && !isWhole(path);
        } catch (IOException e) {
            throw new UnrollException("cannot read " + path + ": " + DraftFile.reason(e), e);
        }
    }

    /** @throws UnrollException if that cannot be told now, or only by a newer Unroll */
    private boolean isWhole(Path folder) {
        try {
            new ModelFolder(folder.toString(), fs.getConf()).read();
            return true;
        } catch (DamagedFileException | ConfigurationException e) {
            return false;
        }
    }

    private void writeFiles(Model model, Path folder) throws IOException {
        for (NetworkShape.Part part : model.shape().parts()) {
            try (OutputStream out = fs.create(new Path(folder, part.name()))) {
                NetworkZip.write(part.shape(), part.cut(model.parameters()), part.cut(model.optimizerState()), out);
            }
        }
        try (OutputStream out = fs.create(new Path(folder, SETTINGS))) {
            out.write(model.settings().text().getBytes(StandardCharsets.UTF_8));
        }
        String network = model.settings().model().image().network();
        if (!network.isBlank()) {
            Path source = new Path(network);
            FileUtil.copy(
                    source.getFileSystem(fs.getConf()), source, fs, copy(folder, network), false, true, fs.getConf());
        }
        model.vocabularies().write(fs, folder);
        Manifest.FILE.write(fs, new Path(folder, MANIFEST), model.manifest());
    }

    /** @throws UnrollException where the folder is no model, is damaged, or was written by a newer Unroll */
    public Model read() {
        try {
            return read(folder());
        } catch (DamagedFileException e) {
            throw withRemedy(e);
        } catch (ChecksumException e) {
            throw withRemedy(damaged(path, DraftFile.reason(e), e));
        } catch (IOException e) {
            throw new UnrollException("cannot read the model " + path + ": " + DraftFile.reason(e), e);
        }
    }

    /** Nothing in the folder is trusted: its files must agree with each other before any of them is used. */
    private Model read(Path folder) throws IOException {
        Manifest manifest = Manifest.FILE.read(fs, required(folder, MANIFEST));
        Settings settings;
        Vocabularies vocabularies;
        NetworkShape shape;
        try {
            settings = settings(folder);
            Task task = Task.of(settings);
            for (String name : task.vocabularies()) {
                required(folder, Vocabularies.file(name));
            }
            vocabularies = Vocabularies.read(fs, folder, task.vocabularies());
            vocabularies.checkStart(task.startOfVocabularies(), SETTINGS);
            shape = task.network(vocabularies);
            shape.parameters();
        } catch (ConfigurationException | IllegalArgumentException e) {
            throw damaged(folder, e.getMessage(), e);
        }
        checkManifest(folder, "seed", manifest.seed(), SETTINGS, settings.run().seed());
        checkManifest(
                folder,
                "vocabulary",
                manifest.vocabulary(),
                "vocabulary.json",
                vocabularies.tokens().size());
        checkManifest(folder, "parameters", manifest.parameters(), SETTINGS, shape.parameters());
        if (manifest.symbols() != null) {
            String names = String.join(", ", vocabularies.symbols().keySet());
            checkManifest(folder, "the symbols' checksum", manifest.symbols(), names, vocabularies.checksum());
        }
        if (manifest.corpus() == null || manifest.versions() == null) {
            throw damaged(folder, MANIFEST + " has no corpus or no versions", null);
        }
        float[] parameters = parameters(shape, folder);
        if (manifest.weights() != null && manifest.weights() != FloatArray.checksum(parameters)) {
            String zips = shape.parts().stream().map(NetworkShape.Part::name).collect(Collectors.joining(", "));
            // Not damage: what is damaged, its own run replaces.
            throw new UnrollException(folder + ": " + MANIFEST + " and " + zips + " disagree: the weights are not those"
                    + " that were stored. If they were changed on purpose, remove \"weights\" from " + MANIFEST
                    + " and delete ." + MANIFEST + ".crc; otherwise copy, publish or train the model again.");
        }
        return new Model(manifest, settings, vocabularies, parameters, new float[0]);
    }

    /** A file that is missing is told from one that cannot be opened now: both are FileNotFoundExceptions to Java. */
    private Path required(Path folder, String name) throws IOException {
        Path file = new Path(folder, name);
        if (!fs.exists(file)) {
            throw damaged(folder, "it has no " + name, null);
        }
        return file;
    }

    private static void checkManifest(Path folder, String key, long said, String other, long found) {
        if (said != found) {
            throw damaged(
                    folder, MANIFEST + " and " + other + " disagree: " + key + " is " + said + " and " + found, null);
        }
    }

    private static DamagedFileException damaged(Path what, String why, Exception cause) {
        return new DamagedFileException(what + " is damaged: " + why + (why.endsWith(".") ? "" : "."), cause);
    }

    private static DamagedFileException withRemedy(DamagedFileException e) {
        return new DamagedFileException(
                e.getMessage() + " Copy or publish the model again, or train it again.", e.getCause());
    }

    /** @return the folder itself, or the model in a run's directory */
    private Path folder() throws IOException {
        if (!fs.exists(path)) {
            throw new ConfigurationException(path + ": no such model folder. Give the one that train has printed.");
        }
        for (Path candidate : new Path[] {path, new Path(path, "model")}) {
            if (fs.exists(new Path(candidate, MANIFEST))) {
                return candidate;
            }
        }
        throw new ConfigurationException(path + " is no model folder: it has no " + MANIFEST
                + ". Give the model folder that train made; if training was stopped, run the same train "
                + "command again to resume.");
    }

    /** @return what they were in training, but for the network that reads images, of which the folder has a copy */
    private Settings settings(Path folder) throws IOException {
        Path file = required(folder, SETTINGS);
        String text = new String(JsonFile.bytes(fs, file, MAX_SETTINGS_BYTES), StandardCharsets.UTF_8);
        Settings settings = SettingsReader.parse(text, SETTINGS);
        String network = settings.model().image().network();
        if (network.isBlank()) {
            return settings;
        }
        Path copy = required(folder, copy(folder, network).getName());
        return SettingsReader.parse(
                text + "\nmodel.image.network = " + ConfigUtil.quoteString(copy.toString()), SETTINGS);
    }

    private static Path copy(Path folder, String network) {
        return new Path(folder, "image-" + new Path(network).getName());
    }

    private float[] parameters(NetworkShape shape, Path folder) throws IOException {
        float[] all = {};
        for (NetworkShape.Part part : shape.parts()) {
            float[] own = parameters(part, shape.optimizerArrays(), folder);
            // Not before the first file holds what the settings foretell.
            all = all.length == 0 ? Arrays.copyOf(own, shape.parameters()) : all;
            System.arraycopy(own, 0, all, part.start(), own.length);
        }
        return all;
    }

    private float[] parameters(NetworkShape.Part part, int optimizerArrays, Path folder) throws IOException {
        try (InputStream in = fs.open(required(folder, part.name()))) {
            return NetworkZip.readParameters(part.shape(), optimizerArrays, in);
        } catch (EOFException | ZipException | ChecksumException e) {
            throw damaged(new Path(folder, part.name()), DraftFile.reason(e), e);
        }
    }
}
