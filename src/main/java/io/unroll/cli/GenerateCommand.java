package io.unroll.cli;

import io.unroll.checkpoint.Model;
import io.unroll.checkpoint.ModelFolder;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.config.Words;
import io.unroll.inference.Sampler;
import io.unroll.spark.Session;
import io.unroll.task.Prompt;
import io.unroll.text.RowFiles;
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
                "Answers a prompt: continues a text, classifies it, writes what belongs to it, or captions an image.",
        mixinStandardHelpOptions = true)
final class GenerateCommand implements Callable<Integer> {
    private static final int MAX_SHOWN = 10;
    private static final List<String> OF_LANGUAGE_MODELS =
            List.of("--length", "--temperature", "--top-k", "--top-p", "--seed");

    @Spec
    private CommandSpec command;

    @Parameters(paramLabel = "MODEL", converter = HomePath.class, description = "The model's folder.")
    private String model;

    @Option(names = "--prime", paramLabel = "S", defaultValue = "", description = "The text to continue.")
    private String prime;

    @Option(
            names = "--length",
            paramLabel = "N",
            defaultValue = "1000",
            description = "Tokens to write (default: ${DEFAULT-VALUE}).")
    private int length;

    @Option(
            names = "--temperature",
            paramLabel = "X",
            defaultValue = "0.8",
            description = "Below 1 is more careful, above it bolder; 0 takes the most probable token "
                    + "(default: ${DEFAULT-VALUE}).")
    private double temperature;

    @Option(
            names = "--top-k",
            paramLabel = "K",
            defaultValue = "0",
            description = "Draw from the K most probable tokens only; 0 is all (default: ${DEFAULT-VALUE}).")
    private int topK;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            defaultValue = "1",
            description = "Draw from the most probable tokens that together have probability P (default: "
                    + "${DEFAULT-VALUE}).")
    private double topP;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "The same seed writes the same text (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(
            names = "--image",
            converter = HomePath.Local.class,
            paramLabel = "FILE",
            arity = "1..*",
            description = "captioning: the images to caption, a line for each.")
    private List<Path> images = List.of();

    @Mixin
    private SearchOption search;

    @Option(names = "--json", description = "Print the result as a JSON object, on the last line.")
    private boolean json;

    private void checkOptions(Settings.TaskName task) {
        if (task == Settings.TaskName.LANGUAGE_MODEL) {
            return;
        }
        CommandLine.ParseResult given = command.commandLine().getParseResult();
        if (task == Settings.TaskName.CAPTIONING && given.hasMatchedOption("--prime")) {
            throw new ConfigurationException(
                    "--prime is given, and a captioning model reads images: give --image FILE.");
        }
        for (String option : OF_LANGUAGE_MODELS) {
            if (given.hasMatchedOption(option)) {
                throw new ConfigurationException(
                        option + " is for models that continue a text, and this one is of task = " + Words.kebab(task)
                                + ": leave it out.");
            }
        }
    }

    private List<Prompt.File> images() throws IOException {
        List<Prompt.File> contents = new ArrayList<>();
        for (Path image : images) {
            if (!Files.isRegularFile(image)) {
                throw new ConfigurationException(image + ": no such file. --image takes the images to caption.");
            }
            if (Files.size(image) > RowFiles.MAX_BYTES) {
                throw new ConfigurationException("--image: " + image + " has " + Files.size(image)
                        + " bytes, and at most " + RowFiles.MAX_BYTES + " are read.");
            }
            contents.add(new Prompt.File(image.toString(), Files.readAllBytes(image)));
        }
        return contents;
    }

    @Override
    public Integer call() throws IOException {
        if (length < 0) {
            throw new ConfigurationException("--length is " + length + "; it must be 0 or more.");
        }
        Sampler sampler = new Sampler(temperature, topK, topP, seed);
        Configuration hadoop = Session.hadoopWithoutSpark();
        Places.check("MODEL", model, hadoop);
        Model trained = new ModelFolder(model, hadoop).read();
        checkOptions(trained.settings().task());
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        OutputStream out = json ? text : System.out;
        int tokens =
                trained.answer(new Prompt(prime, images(), length, sampler::draw, search.beam(trained), hadoop), out);
        List<String> unknown = trained.task().unknown(prime, trained.vocabularies());
        if (json) {
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("text", text.toString(StandardCharsets.UTF_8));
            result.put("tokens", tokens);
            result.put("unknown_tokens", unknown.size());
            result.put("seed", seed);
            System.out.println(JsonLine.of(result));
        } else {
            System.out.println();
        }
        if (!unknown.isEmpty()) {
            System.err.println("unroll: unknown tokens in the prompt, read as <unk> (" + unknown.size() + "): "
                    + unknown.stream().distinct().limit(MAX_SHOWN).collect(Collectors.joining(", ")));
        }
        return 0;
    }
}
