package io.unroll.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/** Runs commands on a small text, so that the build can archive the classes that they load (AppCDS). */
public final class ClassArchiveRun {
    private ClassArchiveRun() {}

    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[0]).toAbsolutePath();
        Path text = folder.resolve("text");
        Files.write(
                text, IntStream.range(0, 200).mapToObj(line -> "line " + line).toList());
        Path configuration = folder.resolve("conf");
        Files.writeString(
                configuration,
                """
                corpus.path = "%s"
                run.directory = "%s/run"
                model { hidden = 8, layers = 1 }
                training { epochs = 1, batch = 2, tbptt = 8 }
                cluster.replicas = 1
                """
                        .formatted(text, folder));
        String model = folder + "/run/model";
        for (List<String> command : List.of(
                List.of("train", configuration.toString()),
                List.of("generate", model, "--length", "20"),
                List.of("evaluate", model, text.toString()),
                List.of("inspect", model, text.toString(), "--tokens", "50"))) {
            int status = Main.execute(command.toArray(String[]::new));
            if (status != 0) {
                System.exit(status);
            }
        }
    }
}
