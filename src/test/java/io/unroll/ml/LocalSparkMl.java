package io.unroll.ml;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.io.TempDir;

/** Gives all tests of a class one local Spark session of a caller, small data and small estimators. */
abstract class LocalSparkMl {
    private static final StructType PAIRS = new StructType()
            .add("id", DataTypes.IntegerType)
            .add("text", DataTypes.StringType)
            .add("label", DataTypes.StringType);

    @TempDir
    static Path folder;

    static SparkSession spark;

    /** @param registersClasses whether Kryo serializes only classes that are registered; some of Spark ML's are not */
    static void startSession(boolean registersClasses) {
        spark = SparkSession.builder()
                .master("local[2]")
                .appName("ml")
                .config("spark.ui.enabled", "false")
                .config("spark.sql.shuffle.partitions", "2")
                .config("spark.serializer", "org.apache.spark.serializer.KryoSerializer")
                .config("spark.kryo.registrationRequired", registersClasses)
                .config("spark.sql.adaptive.enabled", "true")
                .getOrCreate();
    }

    @AfterAll
    static void stopSession() {
        spark.stop();
    }

    static Dataset<Row> pairs(Row... rows) {
        return spark.createDataFrame(List.of(rows), PAIRS);
    }

    /** @return words of the letters a, b and c, labelled by their first letter; the target is the word in upper case */
    static Dataset<Row> words(int count) {
        return spark.createDataFrame(
                        IntStream.range(0, count)
                                .mapToObj(i -> {
                                    String word = Integer.toString(i * 31 + 7, 3)
                                            .replace('0', 'a')
                                            .replace('1', 'b')
                                            .replace('2', 'c');
                                    return RowFactory.create(i, word, "begins with " + word.charAt(0));
                                })
                                .toList(),
                        PAIRS)
                .repartition(3);
    }

    static UnrollLanguageEstimator language() {
        return small(new UnrollLanguageEstimator());
    }

    static UnrollTextClassifier classifier() {
        return small(new UnrollTextClassifier());
    }

    static UnrollSeq2Seq seq2seq() {
        return small(new UnrollSeq2Seq());
    }

    private static <E extends UnrollEstimator<E, ?>> E small(E estimator) {
        return estimator
                .setHiddenSize(8)
                .setNumLayers(1)
                .setMaxEpochs(2)
                .setBatchSize(8)
                .setLearningRate(0.02);
    }

    /** @return the rows in the order of their ids, as texts */
    static List<String> sorted(Dataset<Row> rows) {
        return rows.orderBy("id").collectAsList().stream().map(Row::toString).toList();
    }

    static PipelineStage[] stages(PipelineStage... stages) {
        return stages;
    }
}
