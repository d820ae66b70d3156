package io.unroll.cli;

import io.unroll.checkpoint.Model;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.inference.Sampler;
import io.unroll.spark.Session;
import io.unroll.spark.TrainingJob;
import io.unroll.task.Prompt;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "train",
        description = "Prepares the corpus where that is missing, trains, and writes the model.",
        mixinStandardHelpOptions = true)
final class TrainCommand implements Callable<Integer> {
    private static final int SAMPLE_LENGTH = 300;
    private static final double SAMPLE_TEMPERATURE = 0.8;

    @Parameters(paramLabel = "CONF", description = "The run's configuration; conf/reference.conf has every key.")
    private Path configuration;

    @Parameters(index = "1..*", paramLabel = "key=value", description = "Settings that override the file's.")
    private List<String> overrides = List.of();

    @Option(names = "--json", description = "Print the result as a JSON object, on the last line.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        Settings settings = SettingsReader.read(configuration, overrides);
        Places.check(settings, Session.hadoopWithoutSpark());
        Model model;
        try (Session session =
                Session.start("train " + configuration, settings.cluster().threads())) {
            model = new TrainingJob(session, settings, new ConsoleProgress()).run();
        }
        List<String> samples = samples(model);
        if (json) {
            System.out.println(JsonLine.of(result(model, settings, samples)));
        } else {
            System.out.println("model: " + TrainingJob.modelPath(settings));
            if (model.manifest().validationLoss() != null) {
                System.out.printf(
                        Locale.ROOT,
                        "validation cross-entropy: %.4f nats/token%n",
                        model.manifest().validationLoss());
            }
            for (String sample : samples) {
                System.out.println("a sample:");
                System.out.println(sample);
            }
        }
        return 0;
    }

    private static List<String> samples(Model model) throws IOException {
        List<String> samples = new ArrayList<>();
        for (String prompt : model.task().samplePrompts()) {
            ByteArrayOutputStream sample = new ByteArrayOutputStream();
            Sampler sampler =
                    new Sampler(SAMPLE_TEMPERATURE, 0, 1, model.settings().run().seed());
            model.answer(new Prompt(prompt, SAMPLE_LENGTH, sampler::draw), sample);
            samples.add(sample.toString(StandardCharsets.UTF_8));
        }
        return samples;
    }

    private static Map<String, Object> result(Model model, Settings settings, List<String> samples) {
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("model", TrainingJob.modelPath(settings));
        result.put("epochs", model.manifest().epochs());
        result.put("rounds", model.manifest().rounds());
        result.put("tokens", model.manifest().tokens());
        result.put("training_loss", model.manifest().trainingLoss());
        result.put("validation_loss", model.manifest().validationLoss());
        result.put("sample", samples.isEmpty() ? null : samples.get(0));
        return result;
    }
}
