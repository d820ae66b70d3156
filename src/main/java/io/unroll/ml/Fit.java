package io.unroll.ml;

import static org.apache.spark.sql.functions.bit_xor;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.pmod;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;
import static org.apache.spark.sql.functions.xxhash64;

import com.typesafe.config.ConfigUtil;
import io.unroll.checkpoint.TrainedModel;
import io.unroll.chunk.CorpusSize;
import io.unroll.chunk.Plan;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.config.UnrollException;
import io.unroll.spark.Session;
import io.unroll.spark.TrainingJob;
import io.unroll.train.Progress;
import io.unroll.train.RoundReport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.commons.io.FileUtils;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A training run of an estimator: on a temporary view, in a run directory. */
final class Fit {
    private static final Logger LOG = LoggerFactory.getLogger(Fit.class);
    /** What the stored settings name instead of the view and the directory, which exist only during the fit. */
    private static final String NAME = "dataset";

    private static final String SPLIT = "unroll_split";

    private final UnrollEstimator<?, ?> estimator;
    private final Dataset<Row> rows;
    private final SparkSession spark;
    private final Settings settings;

    private Fit(UnrollEstimator<?, ?> estimator, Dataset<Row> rows) {
        this.estimator = estimator;
        this.spark = rows.sparkSession();
        this.settings = settings(NAME, NAME);
        Dataset<Row> prepared = estimator.prepared(rows);
        if (estimator.isDefined(estimator.validationIndicatorCol())) {
            Column heldOut = ParamSupport.column(estimator.getValidationIndicatorCol());
            prepared = prepared.withColumn(SPLIT, when(heldOut, "validation").otherwise("training"));
        }
        this.rows = prepared;
    }

    static TrainedModel of(UnrollEstimator<?, ?> estimator, Dataset<?> dataset) {
        Fit fit = new Fit(estimator, dataset.toDF());
        try {
            return estimator.isDefined(estimator.checkpointDir())
                    ? fit.train(estimator.getCheckpointDir() + "/" + fit.hash())
                    : fit.trainInTemporaryFolder();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private TrainedModel trainInTemporaryFolder() throws IOException {
        if (!spark.sparkContext().isLocal()) {
            throw new IllegalArgumentException("checkpointDir of " + estimator.uid() + " is not set, and the master is "
                    + spark.sparkContext().master()
                    + ": set it to a folder in a file system that all machines of the cluster share.");
        }
        Path folder = Files.createTempDirectory("unroll-fit-");
        try {
            return train(folder.toUri().toString());
        } finally {
            FileUtils.deleteDirectory(folder.toFile());
        }
    }

    private TrainedModel train(String directory) throws IOException {
        String view = "unroll_" + UUID.randomUUID().toString().replace("-", "");
        // With a projection: removing a view removes its query from Spark's cache, where the caller's may be.
        rows.select("*").createOrReplaceTempView(view);
        try (Session session = Session.of(spark)) {
            TrainedModel model =
                    TrainingJob.run(session, settings(directory, view), new LoggedProgress(estimator.uid()));
            return model.withSettings(settings);
        } catch (ConfigurationException e) {
            throw new IllegalArgumentException(message(e, view), e);
        } catch (UnrollException e) {
            throw new UnrollException(message(e, view), e);
        } finally {
            spark.catalog().dropTempView(view);
        }
    }

    /** @return the message, without the name of the view */
    private static String message(UnrollException e, String view) {
        return String.valueOf(e.getMessage())
                .replace("corpus.table, " + view, "the dataset")
                .replace(view, "the dataset");
    }

    private Settings settings(String directory, String view) {
        Map<String, String> values = new LinkedHashMap<>();
        values.put("run.directory", directory);
        values.put("corpus.table", view);
        values.put("corpus.prepared", directory + "/prepared");
        values.putAll(estimator.taskSettings());
        if (estimator.isDefined(estimator.validationIndicatorCol())) {
            values.put("corpus.split-by", SPLIT);
        }
        estimator.keys().forEach((key, param) -> {
            if (estimator.isSet(param)) {
                values.put(key, String.valueOf(estimator.getOrDefault(param)));
            }
        });
        List<String> fixed = new ArrayList<>(values.keySet());
        fixed.addAll(List.of("corpus.path", "corpus.query", "run.overwrite"));
        for (String setting : estimator.getSettings()) {
            String key = setting.contains("=")
                    ? setting.substring(0, setting.indexOf('=')).strip()
                    : "";
            if (!SettingsReader.isKey(key)) {
                throw new IllegalArgumentException(
                        "settings has \"" + setting + "\", which is not of the form key=value.");
            }
            if (fixed.contains(key)) {
                throw new IllegalArgumentException(
                        "settings has " + key + ", which " + estimator.uid() + " sets: leave it out.");
            }
            values.put(key, setting.substring(setting.indexOf('=') + 1).strip());
        }
        String text = values.entrySet().stream()
                .map(entry -> entry.getKey() + "=" + ConfigUtil.quoteString(entry.getValue()))
                .collect(Collectors.joining(", "));
        try {
            return SettingsReader.parse(text, "settings");
        } catch (ConfigurationException e) {
            throw new IllegalArgumentException(e.getMessage().replaceFirst("^settings:1: ", ""), e);
        }
    }

    /** @return a name for the run: a hash of the settings and, in any order, of the rows */
    private String hash() {
        Map<String, String> columns = settings.corpus().columns();
        Column row = xxhash64(Stream.of(rows.columns())
                .filter(name -> name.equals(SPLIT)
                        || columns.values().stream().anyMatch(used -> used.equals(name) || used.startsWith(name + ".")))
                .map(name -> ParamSupport.column(name).cast("string"))
                .toArray(Column[]::new));
        Row hashes = rows.agg(
                        count(lit(1)),
                        coalesce(sum(pmod(row, lit(1L << 31))), lit(0L)),
                        coalesce(bit_xor(row), lit(0L)))
                .head();
        return DigestUtils.sha256Hex(settings.text() + hashes).substring(0, 16);
    }

    /** Logs the progress of a run. */
    private record LoggedProgress(String uid) implements Progress {
        @Override
        public void waitingForLock(String reason) {
            LOG.info("{}: {}", uid, reason);
        }

        @Override
        public void prepared(String folder, CorpusSize size, boolean found) {
            LOG.info("{}: prepared {} in {}", uid, size, folder);
        }

        @Override
        public void planned(Plan plan) {
            LOG.info("{}: planned {}", uid, plan);
        }

        @Override
        public void network(int parameters, long replicaBytes, boolean float32Instead) {
            LOG.info("{}: {} parameters, {} MiB for each replica", uid, parameters, replicaBytes >> 20);
            if (float32Instead) {
                LOG.warn("{}: the processor has no bfloat16 instructions, so it trains in float32", uid);
            }
        }

        @Override
        public void finished(String model) {
            LOG.info("{}: {} is complete", uid, model);
        }

        @Override
        public void startsFrom(String model) {
            LOG.info("{}: starting from {}", uid, model);
        }

        @Override
        public void resumed(String checkpoint, int round) {
            LOG.info("{}: resuming after round {} from {}", uid, round, checkpoint);
        }

        @Override
        public void damaged(String checkpoint, String problem) {
            LOG.warn("{}: {} is damaged and is skipped: {}", uid, checkpoint, problem);
        }

        @Override
        public void round(RoundReport report) {
            LOG.info("{}: {}", uid, report);
        }

        @Override
        public void interrupted(int round) {
            LOG.warn("{}: interrupted; the last checkpoint is of round {}", uid, round);
        }
    }
}
