package io.unroll.ml;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** A user's application: fits a pipeline, or applies one that was saved, and writes the scores. */
public final class FitApplication {
    private FitApplication() {}

    /**
     * @param arguments fit or apply, the folder of the pipeline, the file for the scores, the number of epochs, and the
     *     checkpointDir, if any
     */
    public static void main(String[] arguments) throws Exception {
        try (SparkSession spark = SparkSession.builder().getOrCreate()) {
            Dataset<Row> rows = spark.range(3000)
                    .selectExpr("id", "concat('job ', id * 7919 % 97, ' started by user ', id % 13) AS text")
                    .repartition(3);
            if (arguments[0].equals("fit")) {
                UnrollLanguageEstimator estimator = new UnrollLanguageEstimator()
                        .setHiddenSize(16)
                        .setNumLayers(1)
                        .setBatchSize(8)
                        .setMaxEpochs(Integer.parseInt(arguments[3]))
                        .setSettings("cluster.averaging.every=5", "cluster.averaging.updater=keep");
                if (arguments.length > 4) {
                    estimator.setCheckpointDir(arguments[4]);
                }
                new Pipeline()
                        .setStages(new PipelineStage[] {estimator})
                        .fit(rows)
                        .write()
                        .overwrite()
                        .save(arguments[1]);
            }
            List<String> scores = PipelineModel.load(arguments[1])
                    .transform(rows)
                    .selectExpr("concat(id, ' ', score)")
                    .as(Encoders.STRING())
                    .collectAsList()
                    .stream()
                    .sorted()
                    .toList();
            Files.write(Path.of(arguments[2]), scores);
        }
    }
}
