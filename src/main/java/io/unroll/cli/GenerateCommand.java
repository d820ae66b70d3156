package io.unroll.cli;

import io.unroll.checkpoint.Model;
import io.unroll.checkpoint.ModelFolder;
import io.unroll.config.ConfigurationException;
import io.unroll.inference.Generator;
import io.unroll.inference.Sampler;
import io.unroll.spark.Session;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "generate", description = "Continues a text, token by token.", mixinStandardHelpOptions = true)
final class GenerateCommand implements Callable<Integer> {
    @Parameters(paramLabel = "MODEL", description = "The model's folder.")
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

    @Option(names = "--json", description = "Print the result as a JSON object, on the last line.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        if (length < 0) {
            throw new ConfigurationException("--length is " + length + "; it must be 0 or more.");
        }
        Sampler sampler = new Sampler(temperature, topK, topP, seed);
        Model trained = new ModelFolder(model, Session.hadoopWithoutSpark()).read();
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        OutputStream out = json ? text : System.out;
        new Generator(trained).generate(prime, length, sampler, out);
        if (json) {
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("text", text.toString(StandardCharsets.UTF_8));
            result.put("tokens", length);
            result.put("seed", seed);
            System.out.println(JsonLine.of(result));
        } else {
            System.out.println();
        }
        return 0;
    }
}
