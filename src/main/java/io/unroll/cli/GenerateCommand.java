package io.unroll.cli;

import io.unroll.checkpoint.ModelFolder;
import io.unroll.checkpoint.TrainedModel;
import io.unroll.config.ConfigurationException;
import io.unroll.config.SettingNames;
import io.unroll.config.Settings;
import io.unroll.inference.Sampler;
import io.unroll.spark.Session;
import io.unroll.storage.RowFiles;
import io.unroll.task.Prompt;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "generate",
        description =
                "Runs a model on a prompt: continues or classifies a text, writes its target sequence, or captions an "
                        + "image.",
        mixinStandardHelpOptions = true)
final class GenerateCommand implements Callable<Integer> {
    private static final int MAX_UNKNOWN_SHOWN = 10;
    private static final List<String> LANGUAGE_MODEL_OPTIONS =
            List.of("--length", "--temperature", "--top-k", "--top-p", "--seed");

    @Spec
    private CommandSpec command;

    @Parameters(paramLabel = "MODEL", converter = PathConverter.class, description = "The model's folder.")
    private String model;

    @Option(
            names = "--prompt",
            paramLabel = "TEXT",
            defaultValue = "",
            description = "The text to continue or classify; for seq2seq, the source.")
    private String prompt;

    /** The former name of {@code --prompt}. */
    @Option(names = "--prime", paramLabel = "TEXT", defaultValue = "", hidden = true)
    private String prime;

    @Option(
            names = "--length",
            paramLabel = "N",
            defaultValue = "1000",
            description = "Number of tokens to generate (default: ${DEFAULT-VALUE}).")
    private int length;

    @Option(
            names = "--temperature",
            paramLabel = "X",
            defaultValue = "0.8",
            description = "Sampling temperature: below 1 favours probable tokens, above 1 makes the text more random, "
                    + "0 takes the most probable token (default: ${DEFAULT-VALUE}).")
    private double temperature;

    @Option(
            names = "--top-k",
            paramLabel = "K",
            defaultValue = "0",
            description = "Sample from the K most probable tokens only; 0 means all (default: ${DEFAULT-VALUE}).")
    private int topK;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            defaultValue = "1",
            description = "Sample only from the most probable tokens: as many as needed for a total probability of P; "
                    + "1 means all (default: ${DEFAULT-VALUE}).")
    private double topP;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Random seed: the same seed generates the same text (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(
            names = "--image",
            converter = PathConverter.Local.class,
            paramLabel = "FILE",
            arity = "1..*",
            description = "captioning: the images to caption; prints one line per image.")
    private List<Path> images = List.of();

    @Mixin
    private SearchOption search;

    @Option(names = "--json", description = "Print the result as a JSON object, on the last line.")
    private boolean json;

    private String prompt() {
        CommandLine.ParseResult given = command.commandLine().getParseResult();
        if (!given.hasMatchedOption("--prime")) {
            return prompt;
        }
        if (given.hasMatchedOption("--prompt")) {
            throw new ConfigurationException("--prime is the former name of --prompt: give --prompt only.");
        }
        return prime;
    }

    private void checkOptions(Settings.TaskName task) {
        if (task != Settings.TaskName.CAPTIONING && !images.isEmpty()) {
            throw new ConfigurationException("--image is for captioning models only, but this model has task = "
                    + SettingNames.kebab(task) + ": give the text with --prompt.");
        }
        if (task == Settings.TaskName.LANGUAGE_MODEL) {
            return;
        }
        CommandLine.ParseResult given = command.commandLine().getParseResult();
        if (task == Settings.TaskName.CAPTIONING
                && (given.hasMatchedOption("--prompt") || given.hasMatchedOption("--prime"))) {
            throw new ConfigurationException(
                    "--prompt cannot be used with a captioning model, which reads images: give --image FILE.");
        }
        for (String option : LANGUAGE_MODEL_OPTIONS) {
            if (given.hasMatchedOption(option)) {
                throw new ConfigurationException(option + " is for language models, but this model has task = "
                        + SettingNames.kebab(task) + ": leave it out.");
            }
        }
    }

    private List<Prompt.File> images() throws IOException {
        List<Prompt.File> contents = new ArrayList<>();
        for (Path image : images) {
            if (!Files.isRegularFile(image)) {
                throw new ConfigurationException(image + ": no such file. Give the images to caption with --image.");
            }
            if (Files.size(image) > RowFiles.MAX_BYTES) {
                throw new ConfigurationException("--image: " + image + " has " + Files.size(image)
                        + " bytes; the maximum is " + RowFiles.MAX_BYTES + ".");
            }
            contents.add(new Prompt.File(image.toString(), Files.readAllBytes(image)));
        }
        return contents;
    }

    @Override
    public Integer call() throws IOException {
        ConfigurationException.check(length >= 0, "--length", length, "0 or more");
        String text = prompt();
        Sampler sampler = new Sampler(temperature, topK, topP, seed);
        Configuration hadoop = Session.submittedHadoopConfiguration();
        PathChecks.check("MODEL", model, hadoop);
        TrainedModel trained = new ModelFolder(model, hadoop).read();
        checkOptions(trained.settings().task());
        ByteArrayOutputStream generated = new ByteArrayOutputStream();
        OutputStream out = json ? generated : System.out;
        int tokens =
                trained.answer(new Prompt(text, images(), length, sampler::draw, search.beam(trained), hadoop), out);
        List<String> unknown = trained.task().unknownTokens(text, trained.vocabularies());
        if (json) {
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("text", generated.toString(StandardCharsets.UTF_8));
            result.put("tokens", tokens);
            result.put("unknown_tokens", unknown.size());
            result.put("seed", seed);
            System.out.println(JsonLine.of(result));
        } else {
            System.out.println();
        }
        if (!unknown.isEmpty()) {
            System.err.println("unroll: unknown tokens in the prompt, read as <unk> (" + unknown.size() + "): "
                    + unknown.stream().distinct().limit(MAX_UNKNOWN_SHOWN).collect(Collectors.joining(", ")));
        }
        return 0;
    }
}
