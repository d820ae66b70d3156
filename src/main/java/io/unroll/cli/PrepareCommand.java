package io.unroll.cli;

import io.unroll.checkpoint.RunIdentity;
import io.unroll.checkpoint.TrainedModel;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.spark.CorpusPreparation;
import io.unroll.spark.PreparedCorpus;
import io.unroll.spark.Session;
import io.unroll.storage.WritableFolder;
import io.unroll.task.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "prepare",
        description = "Writes a corpus as tokens, unless it is prepared already; train does this too.",
        mixinStandardHelpOptions = true)
final class PrepareCommand implements Callable<Integer> {
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
        Task task = Task.of(settings);
        Configuration hadoop = Session.submittedHadoopConfiguration();
        PathChecks.check(settings, hadoop);
        WritableFolder.checkIfMissing(settings.corpus().prepared(), "corpus.prepared", hadoop);
        Optional<TrainedModel> warmStart = RunIdentity.warmStart(settings, hadoop);
        PreparedCorpus corpus;
        try (Session session = Session.start("prepare " + configuration, 1)) {
            corpus = CorpusPreparation.of(session, settings, task, warmStart).prepare();
        }
        if (json) {
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("folder", corpus.folder());
            result.putAll(corpus.size().counts());
            if (!corpus.size().skipped().isEmpty()) {
                result.put("skipped_by_reason", corpus.size().skipped());
            }
            result.put("vocabulary", corpus.size().vocabulary());
            result.put("found", corpus.found());
            System.out.println(JsonLine.of(result));
        } else {
            System.out.printf("%s %s: %s%n", corpus.found() ? "found" : "prepared", corpus.folder(), corpus.size());
        }
        return 0;
    }
}
