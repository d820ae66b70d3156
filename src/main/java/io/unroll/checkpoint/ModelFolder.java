package io.unroll.checkpoint;

import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.config.UnrollException;
import io.unroll.model.NetworkShape;
import io.unroll.model.NetworkZip;
import io.unroll.task.Task;
import io.unroll.text.Vocabulary;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * A model on disk: {@code network.zip} (plain Deeplearning4j), {@code vocabulary.json}, {@code settings.conf} and
 * {@code manifest.json}.
 */
public final class ModelFolder {
    private static final String NETWORK = "network.zip";
    private static final String SETTINGS = "settings.conf";
    private static final String MANIFEST = "manifest.json";

    private final Path path;
    private final FileSystem fs;

    public ModelFolder(String path, Configuration hadoop) {
        try {
            this.path = new Path(path);
            this.fs = this.path.getFileSystem(hadoop);
        } catch (IOException | RuntimeException e) {
            throw new ConfigurationException(path + " is no usable path: " + e.getMessage(), e);
        }
    }

    public boolean exists() {
        try {
            return fs.exists(path);
        } catch (IOException e) {
            throw new UnrollException("cannot read " + path + ": " + e.getMessage(), e);
        }
    }

    /** @throws ConfigurationException where there is something already that may not be overwritten */
    public void checkFree(boolean overwrite) {
        if (!overwrite && exists()) {
            throw new ConfigurationException(path + " exists: this run is finished. Give another run.directory, or "
                    + "run.overwrite=true to train anew and replace it.");
        }
    }

    /** @throws ConfigurationException where nothing can be written beside the folder: better now than after training */
    public void checkWritable() {
        Path draft = sibling("draft");
        try {
            if (!fs.mkdirs(draft)) {
                throw new IOException("a folder cannot be made there");
            }
            fs.delete(draft, true);
        } catch (IOException e) {
            throw new ConfigurationException(
                    path.getParent() + " cannot be written: " + e.getMessage() + ". Give another run.directory.", e);
        }
    }

    /** Publishes the model by a rename: a reader never finds half a folder where the file system renames in one step. */
    public void write(Model model, boolean overwrite) {
        Path draft = sibling("draft");
        try {
            try {
                fs.mkdirs(draft);
                writeFiles(model, draft);
                replaceBy(draft, overwrite);
            } finally {
                fs.delete(draft, true);
            }
        } catch (IOException e) {
            throw new UnrollException("cannot write the model " + path + ": " + e.getMessage(), e);
        }
    }

    private void replaceBy(Path draft, boolean overwrite) throws IOException {
        Path old = sibling("old");
        checkFree(overwrite);
        if (fs.exists(path)) {
            rename(path, old);
        }
        try {
            rename(draft, path);
        } catch (IOException e) {
            if (fs.exists(old)) {
                rename(old, path);
            }
            throw e;
        }
        fs.delete(old, true);
    }

    /** Hadoop's rename would move a folder into one that is there already. */
    private void rename(Path from, Path to) throws IOException {
        if (fs.exists(to) || !fs.rename(from, to)) {
            throw new IOException("cannot rename " + from + " to " + to);
        }
    }

    private Path sibling(String purpose) {
        return new Path(path.getParent(), "." + path.getName() + "-" + purpose + "-" + UUID.randomUUID());
    }

    private void writeFiles(Model model, Path folder) throws IOException {
        try (OutputStream out = fs.create(new Path(folder, NETWORK))) {
            NetworkZip.write(model.shape(), model.parameters(), model.optimizerState(), out);
        }
        try (OutputStream out = fs.create(new Path(folder, SETTINGS))) {
            out.write(model.settings().text().getBytes(StandardCharsets.UTF_8));
        }
        Vocabulary.FILE.write(fs, new Path(folder, Vocabulary.NAME), model.vocabulary());
        Manifest.FILE.write(fs, new Path(folder, MANIFEST), model.manifest());
    }

    /** @throws UnrollException where the folder is no model, is damaged, or was written by a newer Unroll */
    public Model read() {
        try {
            Path folder = folder();
            Manifest manifest = Manifest.FILE.read(fs, new Path(folder, MANIFEST));
            Vocabulary vocabulary = Vocabulary.FILE.read(fs, new Path(folder, Vocabulary.NAME));
            Settings settings = settings(new Path(folder, SETTINGS));
            if (vocabulary.size() != manifest.vocabulary()) {
                throw new UnrollException(folder + " is damaged: vocabulary.json holds " + vocabulary.size()
                        + " symbols, the manifest says " + manifest.vocabulary() + ".");
            }
            NetworkShape shape = Task.of(settings.task()).network(settings, vocabulary);
            float[] parameters = parameters(shape, new Path(folder, NETWORK));
            if (parameters.length != manifest.parameters()) {
                throw new UnrollException(folder + " is damaged: network.zip holds " + parameters.length
                        + " parameters, the manifest says " + manifest.parameters() + ".");
            }
            return new Model(manifest, settings, vocabulary, parameters, new float[0]);
        } catch (IOException e) {
            throw new UnrollException("cannot read the model " + path + ": " + e.getMessage(), e);
        }
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
        throw new ConfigurationException(
                path + " is no model folder: it has no " + MANIFEST + ". Give the model folder that train made.");
    }

    private Settings settings(Path file) throws IOException {
        try (InputStream in = fs.open(file)) {
            return SettingsReader.parse(new String(in.readAllBytes(), StandardCharsets.UTF_8), file.toString());
        }
    }

    private float[] parameters(NetworkShape shape, Path file) {
        try (InputStream in = fs.open(file)) {
            return NetworkZip.readParameters(shape, in);
        } catch (IOException | RuntimeException e) {
            throw new UnrollException(file + " is damaged: " + e.getMessage(), e);
        }
    }
}
