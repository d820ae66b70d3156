package io.unroll.checkpoint;

import com.typesafe.config.ConfigUtil;
import io.unroll.config.ConfigurationException;
import io.unroll.config.DamagedFileException;
import io.unroll.config.SettingNames;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.config.UnrollException;
import io.unroll.model.FloatArray;
import io.unroll.model.NetworkShape;
import io.unroll.model.NetworkZip;
import io.unroll.storage.AtomicFile;
import io.unroll.storage.AtomicFolder;
import io.unroll.storage.JsonFile;
import io.unroll.storage.UnrollFiles;
import io.unroll.storage.VocabularyFiles;
import io.unroll.storage.WritableFolder;
import io.unroll.task.Task;
import io.unroll.text.Vocabularies;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.zip.ZipException;
import org.apache.commons.io.IOUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.FSError;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FileUtil;
import org.apache.hadoop.fs.Path;

/**
 * Reads, writes and copies a model folder. Its files:
 *
 * <ul>
 *   <li>{@code network.zip} and, if the model has them, {@code encoder.zip}, {@code encoder-forward.zip} and
 *       {@code attention.zip}: Deeplearning4j networks;
 *   <li>{@code vocabulary.json} and the other vocabularies of the task;
 *   <li>{@code settings.conf}, {@code manifest.json};
 *   <li>a copy of the file that {@code model.image.network} names.
 * </ul>
 */
public final class ModelFolder {
    private static final String SETTINGS = "settings.conf";
    private static final String MANIFEST = "manifest.json";
    private static final int MAX_SETTINGS_BYTES = 1 << 20;

    private final Path path;
    private final FileSystem fs;
    private final AtomicFolder swap;

    public ModelFolder(String path, Configuration hadoop) {
        try {
            this.path = new Path(path);
            this.fs = this.path.getFileSystem(hadoop);
            this.swap = new AtomicFolder(fs, this.path);
        } catch (IOException | RuntimeException e) {
            throw new ConfigurationException(path + " is not a usable path: " + e.getMessage(), e);
        }
    }

    public Path path() {
        return path;
    }

    /**
     * Locks the folder, so that no other process replaces it.
     *
     * @param waiting called with a message if this waits up to a minute to see whether another process is alive
     */
    public DirectoryLock lock(Consumer<String> waiting) {
        if (path.getName().contains(":")) {
            throw new ConfigurationException(path
                    + " is not a usable path: Hadoop cannot rename a folder with a colon in its name. Give another"
                    + " name.");
        }
        Path file = new Path(path.getParent(), "." + path.getName() + "-lock");
        return DirectoryLock.acquire(file, path.toString(), fs.getConf(), waiting);
    }

    public boolean exists() {
        try {
            return fs.exists(path);
        } catch (IOException e) {
            throw new UnrollException("cannot read " + path + ": " + e.getMessage(), e);
        }
    }

    /** @throws ConfigurationException if the folder, or a draft of it, contains a file that Unroll did not write */
    public void checkNoForeignFiles() {
        try {
            swap.recover(this::isComplete);
            swap.checkNoForeignFiles();
        } catch (IOException e) {
            throw new UnrollException("cannot read " + path + ": " + AtomicFile.reason(e), e);
        }
    }

    /**
     * Checks that files can be written in the parent of the folder, to fail before training and not after it.
     *
     * @param key setting or argument that contains the path, for the message
     * @throws ConfigurationException if they cannot
     */
    public void checkWritable(String key) {
        WritableFolder.check(fs.makeQualified(path).getParent().toString(), key, fs.getConf());
    }

    /**
     * Writes the model under a temporary name and renames it. If renames are atomic, readers never see a partial model.
     */
    public void write(TrainedModel model, boolean overwrite) {
        try {
            swap.replace(draft -> {
                writeFiles(model, draft);
                if (!overwrite && exists()) {
                    throw new IOException("it exists: another process has created it since this run started");
                }
            });
        } catch (IOException | FSError e) {
            throw new UnrollException("cannot write the model " + path + ": " + AtomicFile.reason(e), e);
        }
    }

    /**
     * Replaces this folder with a copy of another model.
     *
     * @return false if the folder already contained the same files
     */
    public boolean copyFrom(ModelFolder source) {
        try {
            Path from = source.folder();
            if (fs.exists(path) && hasSameFiles(source.fs, from)) {
                return false;
            }
            swap.replace(draft -> {
                for (Path file : files(source.fs, from)) {
                    FileUtil.copy(source.fs, file, fs, new Path(draft, file.getName()), false, fs.getConf());
                }
                if (!isComplete(draft)) {
                    throw new IOException(from + " changed during the copy, or the copy is damaged");
                }
            });
            return true;
        } catch (IOException | FSError e) {
            throw new UnrollException("cannot copy " + source.path + " to " + path + ": " + AtomicFile.reason(e), e);
        }
    }

    private boolean hasSameFiles(FileSystem otherFs, Path other) throws IOException {
        for (Path otherFile : files(otherFs, other)) {
            Path file = new Path(path, otherFile.getName());
            if (!fs.exists(file)) {
                return false;
            }
            try (InputStream in = fs.open(file);
                    InputStream otherIn = otherFs.open(otherFile)) {
                if (!IOUtils.contentEquals(in, otherIn)) {
                    return false;
                }
            }
        }
        return true;
    }

    /** @return the files of the model, without files that users have added */
    private static List<Path> files(FileSystem fs, Path folder) throws IOException {
        List<Path> files = new ArrayList<>();
        for (FileStatus file : fs.listStatus(folder)) {
            if (UnrollFiles.MODEL.isWrittenByUnroll(fs, file)) {
                files.add(file.getPath());
            }
        }
        return files;
    }

    /**
     * Completes or undoes a {@link #write} or {@link #copyFrom} whose process died.
     *
     * @return whether the folder now contains a model
     * @throws ConfigurationException if the folder exists and is not a model
     */
    public boolean recover() {
        try {
            swap.recover(this::isComplete);
            if (fs.exists(path) && !fs.exists(new Path(path, MANIFEST))) {
                throw new ConfigurationException(path + " is not a model folder, so it is not replaced: give a "
                        + "published model, or a path that does not exist.");
            }
            swap.checkNoForeignFiles();
            return fs.exists(path);
        } catch (IOException e) {
            throw new UnrollException("cannot read " + path + ": " + e.getMessage(), e);
        }
    }

    /** @return whether the folder exists but does not contain a complete model, after {@link #recover} */
    public boolean isPartial() {
        try {
            swap.recover(this::isComplete);
            return exists() && !isComplete(path);
        } catch (IOException e) {
            throw new UnrollException("cannot read " + path + ": " + AtomicFile.reason(e), e);
        }
    }

    /** @throws UnrollException if the folder cannot be read now, or was written by a newer Unroll */
    private boolean isComplete(Path folder) {
        try {
            new ModelFolder(folder.toString(), fs.getConf()).read();
            return true;
        } catch (DamagedFileException | ConfigurationException e) {
            return false;
        }
    }

    private void writeFiles(TrainedModel model, Path folder) throws IOException {
        for (NetworkShape.Part part : model.shape().parts()) {
            try (OutputStream out = fs.create(new Path(folder, file(part)))) {
                NetworkZip.write(part.shape(), part.slice(model.parameters()), part.slice(model.optimizerState()), out);
            }
        }
        try (OutputStream out = fs.create(new Path(folder, SETTINGS))) {
            out.write(model.settings().text().getBytes(StandardCharsets.UTF_8));
        }
        String network = model.settings().model().image().network();
        if (!network.isBlank()) {
            Path source = new Path(network);
            FileSystem sourceFs = source.getFileSystem(fs.getConf());
            FileUtil.copy(sourceFs, source, fs, imageNetworkCopy(folder, network), false, fs.getConf());
        }
        VocabularyFiles.write(fs, folder, model.vocabularies());
        Manifest.Contents contents = new Manifest.Contents(
                Versions.all(),
                model.settings().run().seed(),
                model.vocabularies().tokens().size(),
                model.parameters().length,
                model.vocabularies().checksum(),
                FloatArray.checksum(model.parameters()));
        Manifest.Written.FILE.write(fs, new Path(folder, MANIFEST), new Manifest.Written(contents, model.manifest()));
    }

    /** @throws UnrollException if the folder is not a model, is damaged, or was written by a newer Unroll */
    public TrainedModel read() {
        try {
            return read(folder());
        } catch (DamagedFileException e) {
            throw withRemedy(e);
        } catch (ChecksumException e) {
            throw withRemedy(damaged(path, AtomicFile.reason(e), e));
        } catch (IOException e) {
            throw new UnrollException("cannot read the model " + path + ": " + AtomicFile.reason(e), e);
        }
    }

    /** Reads the model without trusting its files: they are checked against each other before any of them is used. */
    private TrainedModel read(Path folder) throws IOException {
        Path file = required(folder, MANIFEST);
        byte[] json = JsonFile.bytes(fs, file, Manifest.FILE.maxBytes());
        Manifest manifest = Manifest.FILE.parse(json, file.toString());
        Manifest.Contents contents = Manifest.Contents.FILE.parse(json, file.toString());
        Settings settings;
        Vocabularies vocabularies;
        NetworkShape shape;
        try {
            settings = settings(folder);
            Task task = Task.of(settings);
            for (String name : task.vocabularies()) {
                required(folder, VocabularyFiles.path(folder, name).getName());
            }
            vocabularies = VocabularyFiles.read(fs, folder, task.vocabularies());
            vocabularies.checkPrefixes(task.vocabularyPrefixes(), SETTINGS);
            shape = task.network(vocabularies);
            shape.parameters();
        } catch (ConfigurationException | IllegalArgumentException e) {
            throw damaged(folder, e.getMessage(), e);
        }
        int vocabulary = vocabularies.tokens().size();
        checkSame(folder, "seed", contents.seed(), SETTINGS, settings.run().seed());
        checkSame(folder, "vocabulary", contents.vocabulary(), "vocabulary.json", vocabulary);
        checkSame(folder, "parameters", contents.parameters(), SETTINGS, shape.parameters());
        if (contents.symbols() != null) {
            String names = String.join(", ", vocabularies.symbols().keySet());
            checkSame(folder, "the symbols' checksum", contents.symbols(), names, vocabularies.checksum());
        }
        if (manifest.corpus() == null || contents.versions() == null) {
            throw damaged(folder, MANIFEST + " has no \"corpus\" or no \"versions\"", null);
        }
        float[] parameters = parameters(shape, folder);
        if (contents.weights() != null && contents.weights() != FloatArray.checksum(parameters)) {
            String zips = shape.parts().stream().map(ModelFolder::file).collect(Collectors.joining(", "));
            // Not a DamagedFileException: a run would replace a damaged model, but this one may have been edited.
            throw new UnrollException(folder + ": " + MANIFEST + " and " + zips + " disagree: the weights are not those"
                    + " that were stored. If they were changed on purpose, remove \"weights\" from " + MANIFEST
                    + " and delete ." + MANIFEST + ".crc; otherwise copy, publish or train the model again.");
        }
        return new TrainedModel(manifest, settings, vocabularies, parameters, new float[0]);
    }

    /**
     * Checks that a file exists, instead of waiting for a FileNotFoundException: a file that exists but cannot be
     * opened now throws that, too.
     */
    private Path required(Path folder, String name) throws IOException {
        Path file = new Path(folder, name);
        if (!fs.exists(file)) {
            throw damaged(folder, "it has no " + name, null);
        }
        return file;
    }

    private static void checkSame(Path folder, String key, long inManifest, String otherFile, long inOther) {
        if (inManifest != inOther) {
            String values = key + " is " + inManifest + " and " + inOther;
            throw damaged(folder, MANIFEST + " and " + otherFile + " disagree: " + values, null);
        }
    }

    private static DamagedFileException damaged(Path path, String reason, Exception cause) {
        return new DamagedFileException(path + " is damaged: " + reason + (reason.endsWith(".") ? "" : "."), cause);
    }

    private static DamagedFileException withRemedy(DamagedFileException e) {
        return new DamagedFileException(
                e.getMessage() + " Copy or publish the model again, or train it again.", e.getCause());
    }

    /** @return the folder itself, or the folder {@code model} in it if the path is the directory of a run */
    private Path folder() throws IOException {
        for (Path candidate : new Path[] {path, new Path(path, "model")}) {
            if (fs.exists(new Path(candidate, MANIFEST))) {
                return candidate;
            }
        }
        String problem = fs.exists(path)
                ? path + " is not a model folder: it has no " + MANIFEST + ". "
                : path + ": no such model folder. ";
        boolean isInRun = path.getName().equals("model");
        throw new ConfigurationException(problem
                + (Checkpoints.existIn(isInRun ? path.getParent() : path, fs)
                        ? "Training was stopped: run the same train command again to resume."
                        : "There is no model or checkpoint there: give the path that train printed."));
    }

    /** @return the settings of the training, except that model.image.network is the copy in the folder */
    private Settings settings(Path folder) throws IOException {
        Path file = required(folder, SETTINGS);
        String text = new String(JsonFile.bytes(fs, file, MAX_SETTINGS_BYTES), StandardCharsets.UTF_8);
        Settings settings = SettingsReader.parse(text, SETTINGS);
        String network = settings.model().image().network();
        if (network.isBlank()) {
            return settings;
        }
        Path copy = required(folder, imageNetworkCopy(folder, network).getName());
        return SettingsReader.parse(
                text + "\nmodel.image.network = " + ConfigUtil.quoteString(copy.toString()), SETTINGS);
    }

    private static Path imageNetworkCopy(Path folder, String network) {
        return new Path(folder, "image-" + new Path(network).getName());
    }

    private float[] parameters(NetworkShape shape, Path folder) throws IOException {
        float[] parameters = {};
        for (NetworkShape.Part part : shape.parts()) {
            float[] ofPart = parameters(part, shape.optimizerArrays(), folder);
            // Allocated only after the first file was found to match the settings, which may be forged.
            parameters = parameters.length == 0 ? Arrays.copyOf(ofPart, shape.parameters()) : parameters;
            System.arraycopy(ofPart, 0, parameters, part.start(), ofPart.length);
        }
        return parameters;
    }

    private static String file(NetworkShape.Part part) {
        return SettingNames.kebab(part.role()) + ".zip";
    }

    private float[] parameters(NetworkShape.Part part, int optimizerArrays, Path folder) throws IOException {
        try (InputStream in = fs.open(required(folder, file(part)))) {
            return NetworkZip.readParameters(part.shape(), optimizerArrays, in);
        } catch (EOFException | ZipException | ChecksumException e) {
            throw damaged(new Path(folder, file(part)), AtomicFile.reason(e), e);
        }
    }
}
