package io.unroll.ml;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.expr;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.substring;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.config.UnrollException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.tuning.CrossValidator;
import org.apache.spark.ml.tuning.CrossValidatorModel;
import org.apache.spark.ml.tuning.ParamGridBuilder;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a fit reads, refuses and leaves behind. */
@Tag("full")
class FitIT extends LocalSparkMl {
    @BeforeAll
    static void startSession() {
        startSession(true);
    }

    @AfterEach
    void noViewIsLeft() {
        assertEquals(0, spark.catalog().listTables().count());
    }

    private static String refused(UnrollEstimator<?, ?> estimator, Dataset<Row> rows) {
        String problem = assertThrows(IllegalArgumentException.class, () -> estimator.fit(rows))
                .getMessage();
        assertTrue(problem.endsWith(".") || problem.endsWith("?"), problem);
        assertFalse(problem.contains("\n"), problem);
        return problem;
    }

    @Test
    void refusesColumnsThatDoNotFit() {
        Dataset<Row> words = words(5);
        assertEquals(
                "there is no column body (inputCol); the columns are id, text, label.",
                refused(language().setInputCol("body"), words));
        assertEquals(
                "column id (inputCol) is of type int; it must be of type string.",
                refused(language().setInputCol("id"), words));
        assertEquals(
                "column id (labelCol) is of type int; it must be of type string.",
                refused(seq2seq().setLabelCol("id"), words));
        assertEquals(
                "column label (labelCol) is of type boolean; it must be of type string or a number.",
                refused(classifier(), words.withColumn("label", col("id").gt(1))));
        assertEquals(
                "column id (validationIndicatorCol) is of type int; it must be of type boolean.",
                refused(language().setValidationIndicatorCol("id"), words));
        String taken = refused(language(), words.withColumnRenamed("id", "Score"));
        assertTrue(taken.startsWith("the output column score exists already: "), taken);
        assertTrue(refused(classifier().setProbabilityCol("prediction"), words).contains("column prediction exists"));
        String number = refused(
                classifier(), words.withColumn("label", col("id").divide(2)).repartition(1));
        assertTrue(number.startsWith("column label (labelCol) has the label 0.5; numbers must be whole, "), number);
        Dataset<Row> asTable = words.withColumn("unscored", col("id"));
        assertTrue(refused(seq2seq(), asTable).contains("unscored exists already"));
    }

    /** None of them is a whole number that an int can have; ANSI mode would refuse to cast them. */
    @ParameterizedTest
    @ValueSource(
            strings = {"CAST('NaN' AS DOUBLE)", "1e300D", "-1L", "3000000000L", "99999999999999999999999999999999999999"
            })
    void refusesLabelsThatAreNoSmallNumbersInAnsiMode(String label) {
        for (boolean ansi : new boolean[] {false, true}) {
            spark.conf().set("spark.sql.ansi.enabled", ansi);
            try {
                String problem = refused(classifier(), words(5).withColumn("label", expr(label)));
                assertTrue(problem.contains("numbers must be whole, from 0 to 999: cast the column"), problem);
            } finally {
                spark.conf().unset("spark.sql.ansi.enabled");
            }
        }
    }

    /** Each word is there with both labels; the weights tell which one counts. */
    @Test
    void rowsWithoutAWeightDoNotCount() {
        Dataset<Row> words = words(80);
        Dataset<Row> weighted = words.withColumn("w", lit(1.5))
                .union(words.withColumn("label", lit("begins with b")).withColumn("w", lit(0)))
                .union(words.withColumn("label", lit("begins with c")).withColumn("w", lit(0)));
        Dataset<Row> scored =
                classifier().setMaxEpochs(8).setWeightCol("w").fit(weighted).transform(words);
        assertTrue(scored.filter("label = predictedLabel").count() > 76);

        assertEquals(
                "column text (weightCol) is of type string; it must be a number.",
                refused(classifier().setWeightCol("text"), words));
        Dataset<Row> negative = words.withColumn("w", lit(-1));
        String problem = assertThrows(
                        UnrollException.class,
                        () -> language().setWeightCol("w").fit(negative))
                .getMessage();
        assertTrue(problem.contains("its weight, -1, is not a number from 0 to 1e9"), problem);
    }

    /** In all folds, only rows of weight 1 have the label; the fit on all rows holds others out. */
    @Test
    void weightsAreThoseOfEachFold() {
        Dataset<Row> words = words(80);
        Dataset<Row> weighted = words.withColumn("w", lit(1))
                .union(words.withColumn("label", lit("begins with b")).withColumn("w", lit(0)))
                .withColumn("heldOut", col("id").geq(60));
        UnrollTextClassifier classifier =
                classifier().setMaxEpochs(20).setWeightCol("w").setValidationIndicatorCol("heldOut");
        CrossValidator validator = new CrossValidator()
                .setEstimator(classifier)
                .setEvaluator(new MulticlassClassificationEvaluator()
                        .setLabelCol("expected")
                        .setMetricName("accuracy"))
                .setEstimatorParamMaps(new ParamGridBuilder().build())
                .setNumFolds(2)
                .setSeed(1);
        // Labels are in the order of their names.
        Dataset<Row> expected = weighted.withColumn(
                "expected", substring(col("text"), 1, 1).equalTo("c").cast("double"));
        CrossValidatorModel model = validator.fit(expected);
        assertTrue(model.avgMetrics()[0] > 0.95, Arrays.toString(model.avgMetrics()));
        assertEquals(80, model.transform(words).filter("label = predictedLabel").count());
    }

    @Test
    void refusesSettingsThatDoNotFit() {
        Dataset<Row> words = words(5);
        assertEquals(
                "settings has \"dropout\", which is not of the form key=value.",
                refused(language().setSettings("dropout"), words));
        assertEquals(
                "settings has training.epochs, which lm sets: leave it out.",
                refused(new UnrollLanguageEstimator("lm").setMaxEpochs(3).setSettings("training.epochs=4"), words));
        for (String fixed : List.of("task=seq2seq", "corpus.path=x", "run.directory=x", "corpus.columns.text=x")) {
            assertTrue(refused(language().setSettings(fixed), words).contains(": leave it out."));
        }
        assertEquals(
                "model.dropout is 2.0; it must be from 0 to below 1.",
                refused(language().setSettings("model.dropout=2.0"), words));
        String unknown = refused(language().setSettings("model.droput=0.2"), words);
        assertTrue(unknown.contains("model.droput") && unknown.contains("model.dropout"), unknown);
        assertTrue(refused(language().setMaxEpochs(10_000_000), words).startsWith("training.epochs is 10000000; "));
        assertThrows(IllegalArgumentException.class, () -> language().setCellType("transformer"));
        assertThrows(IllegalArgumentException.class, () -> language().setQuantile(1));
    }

    @Test
    void refusesRowsWithoutATextUnlessTheyAreSkipped() {
        for (String text : Arrays.asList(null, " ")) {
            Dataset<Row> words = words(50).union(pairs(RowFactory.create(100, text, "begins with b")));
            for (UnrollEstimator<?, ?> estimator : List.of(language(), classifier(), seq2seq())) {
                String problem = assertThrows(UnrollException.class, () -> estimator.fit(words))
                        .getMessage();
                assertTrue(problem.startsWith("the dataset, the row with "), problem);
                assertTrue(problem.contains("skip such rows with corpus.malformed = skip."), problem);
            }
            UnrollTextClassifier skipping = classifier().setMaxEpochs(1).setSettings("corpus.malformed = skip");
            assertEquals(2, skipping.fit(words).labels().length);
        }
    }

    /** @return all that a session's user can set */
    private static Map<String, String> configuration() {
        Map<String, String> settings = new TreeMap<>();
        for (var setting : spark.sparkContext().getConf().getAll()) {
            settings.put("spark " + setting._1(), setting._2());
        }
        spark.conf().getAll().foreach(setting -> settings.put("sql " + setting._1(), setting._2()));
        spark.sparkContext().hadoopConfiguration().forEach(entry -> settings.put(entry.getKey(), entry.getValue()));
        for (String property : List.of("spark.job.description", "callSite.short", "spark.scheduler.pool")) {
            settings.put(property, String.valueOf(spark.sparkContext().getLocalProperty(property)));
        }
        return settings;
    }

    @Test
    void leavesTheSessionAndItsCacheAsTheyWere() throws IOException {
        Dataset<Row> words = words(60).cache();
        assertEquals(60, words.count());
        spark.sparkContext().setJobDescription("my job");
        Map<String, String> before = configuration();
        long folders = temporaryFolders();
        language().setMaxEpochs(1).fit(words).transform(words).count();
        assertEquals(before, configuration());
        assertTrue(words.storageLevel().useMemory());
        assertEquals(folders, temporaryFolders());
        words.unpersist();
        spark.sparkContext().setJobDescription(null);
    }

    private static long temporaryFolders() throws IOException {
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            return files.filter(file -> file.getFileName().toString().startsWith("unroll-fit-"))
                    .count();
        }
    }

    @Test
    void twoFitsAtOnceGiveTheSameModels() {
        Dataset<Row> words = words(100);
        List<String> language = sorted(language().fit(words).transform(words));
        List<String> classes = sorted(classifier().fit(words).transform(words));
        var first =
                CompletableFuture.supplyAsync(() -> sorted(language().fit(words).transform(words)));
        var second = CompletableFuture.supplyAsync(
                () -> sorted(classifier().fit(words).transform(words)));
        assertEquals(language, first.join());
        assertEquals(classes, second.join());
    }

    /** The folds have the same settings and other rows, the maps of Params the same rows and other settings. */
    @Test
    void crossValidatorFindsTheBetterModel() throws IOException {
        Dataset<Row> words = words(120);
        Path runs = folder.resolve("runs");
        UnrollLanguageEstimator language = language().setCheckpointDir(runs.toString());
        ParamMap[] grid = new ParamGridBuilder()
                .addGrid(language.maxEpochs(), new int[] {1, 4})
                .build();
        CrossValidator validator = new CrossValidator()
                .setEstimator(new Pipeline().setStages(stages(language)))
                .setEvaluator(new BitsPerTokenEvaluator())
                .setEstimatorParamMaps(grid)
                .setNumFolds(2)
                .setParallelism(2)
                .setSeed(1);
        CrossValidatorModel model = validator.fit(words);
        assertTrue(model.avgMetrics()[1] < model.avgMetrics()[0], Arrays.toString(model.avgMetrics()));
        assertEquals(5, folders(runs));
        assertEquals(120, model.transform(words).filter("score > 0").count());

        model.write().overwrite().save(folder.resolve("validated").toString());
        CrossValidatorModel loaded =
                CrossValidatorModel.load(folder.resolve("validated").toString());
        assertEquals(sorted(model.transform(words)), sorted(loaded.transform(words)));

        // Complete runs are not trained again.
        CrossValidatorModel again = validator.fit(words);
        assertEquals(sorted(model.transform(words)), sorted(again.transform(words)));
        assertEquals(5, folders(runs));
    }

    private static long folders(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.count();
        }
    }

    @Test
    void aColumnSaysWhichRowsAreHeldOut() {
        Dataset<Row> words = words(100).withColumn("heldOut", col("id").geq(80));
        UnrollLanguageModel model =
                language().setMaxEpochs(1).setValidationIndicatorCol("heldOut").fit(words);
        assertEquals("validation", model.trained().manifest().reference().origin());
        assertEquals(20, model.trained().manifest().reference().rows());
    }

    @Test
    void columnsMayHaveAnyName() {
        Dataset<Row> words = words(60)
                .withColumnRenamed("text", "a.`b")
                .withColumn("other", org.apache.spark.sql.functions.struct(col("id"), col("label")))
                .withColumn("day", col("id").cast(DataTypes.StringType).cast(DataTypes.DateType));
        UnrollTextClassifier classifier = classifier().setMaxEpochs(1).setInputCol("a.`b");
        Dataset<Row> predicted = classifier.fit(words).transform(words);
        assertEquals(60, predicted.filter("prediction >= 0 AND other.id = id").count());
    }

    @Test
    void defaultsAreThoseOfReferenceConf() throws IOException {
        UnrollSeq2Seq seq2seq = new UnrollSeq2Seq();
        assertEquals(10, seq2seq.getMaxEpochs());
        assertEquals(0.002, seq2seq.getLearningRate());
        assertEquals(64, seq2seq.getBatchSize());
        assertEquals(128, seq2seq.getHiddenSize());
        assertEquals("lstm", seq2seq.getCellType());
        assertEquals(2, seq2seq.getNumWorkers());
        String path = folder.resolve("estimator").toString();
        seq2seq.setSeed(7)
                .setSettings("model.dropout=0.1", "model.attention=general")
                .write()
                .overwrite()
                .save(path);
        UnrollSeq2Seq loaded = UnrollSeq2Seq.load(path);
        assertEquals(7, loaded.getSeed());
        assertEquals(List.of(seq2seq.getSettings()), List.of(loaded.getSettings()));
        assertEquals(
                seq2seq.explainParams().replaceAll("settings: .*", ""),
                loaded.explainParams().replaceAll("settings: .*", ""));
    }
}
