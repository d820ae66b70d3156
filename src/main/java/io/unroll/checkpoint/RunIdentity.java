package io.unroll.checkpoint;

import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.task.Task;
import io.unroll.text.Vocabularies;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.commons.io.IOUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * The run that a model or a checkpoint is from. Two runs are the same if their settings, apart from paths and checkpoint
 * intervals, and the content of their corpora are the same.
 *
 * @param path of the model or the checkpoint
 * @param corpus hash of the corpus content
 * @param remedy what the user can do if the current run is another one
 */
public record RunIdentity(String path, Settings settings, String corpus, Supplier<String> remedy) {
    static RunIdentity ofModel(Path folder, TrainedModel model, Settings current, Configuration hadoop) {
        return new RunIdentity(
                folder.toString(),
                model.settings(),
                model.manifest().corpus(),
                () -> "Set another run.directory"
                        + (warmStartDifferences(current, folder.toString(), model.settings(), hadoop)
                                        .isEmpty()
                                ? " (add training.start-from=" + folder + " to start from the weights of this model)"
                                : "")
                        + ", or set run.overwrite=true to train from scratch and replace this model.");
    }

    static RunIdentity ofCheckpoint(Path file, Settings settings, String corpus) {
        return new RunIdentity(
                file.toString(),
                settings,
                corpus,
                () -> "To resume, restore the earlier settings and corpus; to start from scratch, set another "
                        + "run.directory or delete " + file.getParent() + ".");
    }

    /** @throws ConfigurationException naming the differences, if the current settings are those of another run */
    void checkSettings(Settings current) {
        check(SettingsReader.differences(current, settings.text(), path));
    }

    /**
     * @param current hash of the corpus content now
     * @throws ConfigurationException if the run was trained on another corpus
     */
    public void checkCorpus(String current) {
        check(corpus.equals(current) ? List.of() : List.of("the content of the corpus has changed"));
    }

    private void check(List<String> differences) {
        if (!differences.isEmpty()) {
            throw new ConfigurationException(
                    path + " is from another run: " + String.join("; ", differences) + ". " + remedy.get());
        }
    }

    /** @return the error that a complete run cannot resume up to this number of epochs, because it has no checkpoint */
    ConfigurationException cannotAddEpochs(int epochs) {
        return new ConfigurationException(path + " was trained for fewer than " + epochs
                + " epochs, and there is no checkpoint to resume from: run.checkpoint.every was 0, or the checkpoints"
                + " were deleted. " + remedy.get());
    }

    /**
     * @return the model of {@code training.start-from}; empty if training starts from random weights
     * @throws ConfigurationException naming the differences, if the settings describe another network
     */
    public static Optional<TrainedModel> warmStart(Settings settings, Configuration hadoop) {
        String path = settings.training().startFrom();
        if (path.isBlank()) {
            return Optional.empty();
        }
        TrainedModel model;
        try {
            model = new ModelFolder(path, hadoop).read();
        } catch (ConfigurationException e) {
            throw new ConfigurationException("training.start-from: " + e.getMessage(), e);
        }
        List<String> differences = warmStartDifferences(settings, path, model.settings(), hadoop);
        if (!differences.isEmpty()) {
            throw new ConfigurationException("training.start-from, " + path + ", has another network: "
                    + String.join("; ", differences) + ". Give the settings that it was trained with.");
        }
        return Optional.of(model);
    }

    /** @return what the current settings change that a run must not change if it starts from the model in the folder */
    private static List<String> warmStartDifferences(
            Settings current, String folder, Settings stored, Configuration hadoop) {
        List<String> differences =
                new ArrayList<>(SettingsReader.architectureDifferences(current, stored.text(), folder));
        if (differences.isEmpty() && !sameImageNetwork(current, stored, hadoop)) {
            differences.add("model.image.network is another file");
        }
        if (differences.isEmpty() && !specialTokens(current).equals(specialTokens(stored))) {
            differences.add("its special tokens, such as the start of a document, are others, because corpus.documents,"
                    + " corpus.columns.document or corpus.min-count differ");
        }
        return differences;
    }

    private static Map<String, List<String>> specialTokens(Settings settings) {
        return new Vocabularies(Task.of(settings).vocabularyPrefixes()).symbols();
    }

    private static boolean sameImageNetwork(Settings current, Settings stored, Configuration hadoop) {
        String file = current.model().image().network();
        if (file.isBlank()) {
            return true;
        }
        try (InputStream in = open(file, hadoop);
                InputStream storedIn = open(stored.model().image().network(), hadoop)) {
            return IOUtils.contentEquals(in, storedIn);
        } catch (IOException e) {
            throw new ConfigurationException("model.image.network cannot be read: " + e.getMessage(), e);
        }
    }

    private static InputStream open(String file, Configuration hadoop) throws IOException {
        Path path = new Path(file);
        return path.getFileSystem(hadoop).open(path);
    }
}
