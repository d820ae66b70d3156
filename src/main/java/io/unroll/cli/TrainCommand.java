package io.unroll.cli;

import io.unroll.checkpoint.ModelFolder;
import io.unroll.checkpoint.TrainedModel;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.inference.Sampler;
import io.unroll.spark.Session;
import io.unroll.spark.TrainingJob;
import io.unroll.storage.WritableFolder;
import io.unroll.task.Prompt;
import io.unroll.task.Task;
import io.unroll.train.UniformLoss;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "train",
        description = "Prepares the corpus if necessary, trains, and writes the model. Run the same command again to "
                + "resume from the last checkpoint.",
        mixinStandardHelpOptions = true)
final class TrainCommand implements Callable<Integer> {
    private static final int SAMPLE_LENGTH = 300;
    private static final double SAMPLE_TEMPERATURE = 0.8;

    @Parameters(
            paramLabel = "CONF",
            converter = PathConverter.Local.class,
            description = "The configuration file of the run; conf/reference.conf has every key.")
    private Path configuration;

    @Parameters(index = "1..*", paramLabel = "key=value", description = "Settings that override those of CONF.")
    private List<String> overrides = List.of();

    @Option(names = "--json", description = "Print the result as a JSON object, on the last line.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        Settings settings = SettingsReader.read(configuration, overrides);
        checkBeforeSpark(settings);
        String unit = settings.task() == Settings.TaskName.CLASSIFICATION ? "row" : "token";
        TrainedModel model;
        try (Session session =
                Session.start("train " + configuration, settings.cluster().threads())) {
            model = TrainingJob.run(session, settings, new ConsoleProgress(unit));
        }
        String sample = model.task().answersEmptyPrompt() ? sample(model) : null;
        String warning = warning(model);
        if (warning != null) {
            System.err.println("unroll: warning: " + warning);
        }
        if (json) {
            System.out.println(JsonLine.of(result(model, settings, sample, warning)));
        } else {
            System.out.println("model: " + TrainingJob.modelPath(settings));
            if (model.manifest().validationLoss() != null) {
                System.out.printf(
                        Locale.ROOT,
                        "validation cross-entropy: %.4f nats/%s%n",
                        model.manifest().validationLoss(),
                        unit);
            }
            if (sample != null) {
                System.out.println("a sample:");
                System.out.println(sample);
            }
        }
        return 0;
    }

    /** @return a warning if the model predicts worse than a uniform distribution, otherwise null */
    private static String warning(TrainedModel model) {
        Double validation = model.manifest().validationLoss();
        double loss = validation == null ? model.manifest().trainingLoss() : validation;
        UniformLoss uniform = UniformLoss.of(model.shape());
        return uniform.isExceededBy(loss)
                ? "the model predicts worse than a uniform distribution: its "
                        + (validation == null ? "training" : "validation") + " loss is " + uniform.describe(loss)
                        + ". Lower training.learning-rate, or train on more text or for more epochs."
                : null;
    }

    private static void checkBeforeSpark(Settings settings) {
        Task.of(settings);
        Configuration hadoop = Session.submittedHadoopConfiguration();
        PathChecks.check(settings, hadoop);
        new ModelFolder(TrainingJob.modelPath(settings), hadoop).checkWritable("run.directory");
        WritableFolder.checkIfMissing(settings.corpus().prepared(), "corpus.prepared", hadoop);
    }

    private static String sample(TrainedModel model) throws IOException {
        ByteArrayOutputStream sample = new ByteArrayOutputStream();
        Sampler sampler =
                new Sampler(SAMPLE_TEMPERATURE, 0, 1, model.settings().run().seed());
        model.answer(new Prompt("", SAMPLE_LENGTH, sampler::draw), sample);
        return sample.toString(StandardCharsets.UTF_8);
    }

    private static Map<String, Object> result(TrainedModel model, Settings settings, String sample, String warning) {
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("model", TrainingJob.modelPath(settings));
        result.put("epochs", model.manifest().epochs());
        result.put("rounds", model.manifest().rounds());
        result.put("tokens", model.manifest().tokens());
        result.put("training_loss", model.manifest().trainingLoss());
        result.put("validation_loss", model.manifest().validationLoss());
        result.put("warning", warning);
        result.put("sample", sample);
        return result;
    }
}
