package io.unroll.ml;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.upper;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.inference.Scorer;
import io.unroll.inference.TextPrediction;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.Transformer;
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator;
import org.apache.spark.ml.feature.IndexToString;
import org.apache.spark.ml.feature.StringIndexer;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Each estimator in a pipeline that is fitted, saved, loaded and applied. */
class PipelineIT extends LocalSparkMl {
    @BeforeAll
    static void startSession() {
        startSession(false);
    }

    /** @return the pipeline as it is after it was saved and loaded */
    private static PipelineModel saved(PipelineModel model, String name) throws IOException {
        String path = folder.resolve(name).toString();
        model.write().overwrite().save(path);
        return PipelineModel.load(path);
    }

    private static String folderOf(String pipeline, Transformer stage, int index) {
        return folder.resolve(pipeline + "/stages/" + index + "_" + stage.uid()).toString();
    }

    @Test
    void languageModelsScore() throws IOException {
        Dataset<Row> words = words(300);
        Pipeline pipeline =
                new Pipeline().setStages(stages(language().setOutputCol("bits").setQuantile(0.9)));
        pipeline.write().overwrite().save(folder.resolve("untrained").toString());
        PipelineModel model =
                Pipeline.load(folder.resolve("untrained").toString()).fit(words);
        Dataset<Row> scored = model.transform(words);

        assertEquals(
                model.transformSchema(words.schema()).simpleString(),
                scored.schema().simpleString());
        assertTrue(scored.filter("anomaly").count() > 0);
        assertEquals(
                0,
                scored.filter("(bits > threshold) <> anomaly OR bits IS NULL").count());
        double bits = new BitsPerTokenEvaluator().setScoreCol("bits").evaluate(scored);
        assertTrue(bits > 0 && bits < 3, "bits " + bits);

        PipelineModel loaded = saved(model, "language");
        assertEquals(sorted(scored), sorted(loaded.transform(words)));
        assertEquals(sorted(scored), sorted(saved(loaded, "language-again").transform(words)));

        UnrollLanguageModel stage = assertInstanceOf(UnrollLanguageModel.class, model.stages()[0]);
        assertEquals("bits", stage.getOutputCol());
        assertEquals(8, ((UnrollLanguageEstimator) stage.parent()).getHiddenSize());
        String stored = folderOf("language", stage, 0);
        try (Scorer scorer = Scorer.load(stored)) {
            for (Row row : scored.limit(20).collectAsList()) {
                assertEquals(scorer.score(row.<String>getAs("text")).score(), row.<Double>getAs("bits"));
            }
        }
        UnrollLanguageModel fromFolder = UnrollLanguageModel.fromFolder(stored + "/model");
        assertEquals(
                sorted(scored.select("id", "bits", "max_token")),
                sorted(fromFolder.setOutputCol("bits").transform(words).select("id", "bits", "max_token")));
    }

    @Test
    void anomaliesFollowTheParams() {
        Dataset<Row> words = words(100);
        UnrollLanguageModel model = language().setMaxEpochs(1).fit(words);
        ParamMap threshold = new ParamMap().put(model.threshold(), 0.5);
        assertEquals(100, model.transform(words, threshold).filter("anomaly").count());
        assertFalse(model.isSet(model.threshold()));
        Dataset<Row> byRank = model.copy(ParamMap.empty()).setTopG(1).transform(words);
        assertEquals(0, byRank.filter("anomaly <> (max_rank > 1)").count());
        int vocabulary = model.trained().vocabularies().tokens().size();
        model.copy(ParamMap.empty()).setTopG(vocabulary - 1).transform(words);
        UnrollLanguageModel all = model.copy(ParamMap.empty()).setTopG(vocabulary);
        String problem = assertThrows(IllegalArgumentException.class, () -> all.transform(words))
                .getMessage();
        assertTrue(problem.contains("the vocabulary has only " + vocabulary + " tokens"), problem);
    }

    /** With a prefix, the columns of a second model do not collide; a name that is set has no prefix. */
    @Test
    void twoLanguageModelsScoreInOnePipeline() throws IOException {
        Dataset<Row> words = words(60);
        UnrollLanguageEstimator first = language().setMaxEpochs(1);
        UnrollLanguageEstimator second =
                language().setMaxEpochs(1).setInputCol("label").setPrefix("b.");
        PipelineModel model =
                saved(new Pipeline().setStages(stages(first, second)).fit(words), "two");
        Dataset<Row> scored = model.transform(words);
        assertEquals(
                sorted(first.fit(words).transform(words).select("id", "score", "max_token")),
                sorted(scored.select("id", "score", "max_token")));
        UnrollLanguageModel alone = second.fit(words);
        assertEquals("b.score", alone.getOutputCol());
        assertEquals(
                sorted(alone.transform(words).select("id", "`b.score`", "`b.max_token`", "`b.unscored`")),
                sorted(scored.select("id", "`b.score`", "`b.max_token`", "`b.unscored`")));
        List<String> named = List.of(alone.setOutputCol("bits").outputs().fieldNames());
        assertTrue(named.containsAll(List.of("bits", "b.expected", "b.unscored")), named.toString());

        String problem = assertThrows(
                        IllegalArgumentException.class, () -> model.stages()[0].transformSchema(scored.schema()))
                .getMessage();
        assertTrue(problem.contains("the output column score exists already"), problem);
    }

    @Test
    void sessionsCarryTheState() {
        Dataset<Row> words = words(200).withColumn("host", col("id").mod(5));
        UnrollLanguageEstimator sessions = language()
                .setMaxEpochs(1)
                .setSettings("corpus.columns.document=host", "corpus.columns.order=id", "corpus.validation=0.2");
        Dataset<Row> scored = sessions.fit(words).transform(words);
        assertEquals(sorted(scored), sorted(sessions.fit(words).transform(words.repartition(7))));
        assertEquals(200, scored.filter("score > 0").count());
        // Without the first rows of each host, others have another state.
        UnrollLanguageModel model = sessions.fit(words);
        Dataset<Row> later = words.filter("id >= 10");
        List<String> alone = sorted(model.transform(later));
        assertEquals(190, alone.size());
        assertNotEquals(sorted(model.transform(words).filter("id >= 10")), alone);
        String problem = assertThrows(IllegalArgumentException.class, () -> model.transform(later.drop("host")))
                .getMessage();
        assertTrue(problem.startsWith("the dataset has no column host, which was corpus.columns.document"), problem);
        assertThrows(IllegalArgumentException.class, () -> model.setThreshold(Double.NaN));
    }

    @Test
    void classifiersPredictLabelsOfStrings() throws IOException {
        Dataset<Row> words = words(300);
        UnrollTextClassifier classifier = classifier().setMaxEpochs(8);
        StringIndexer indexer =
                new StringIndexer().setInputCol("label").setOutputCol("index").setStringOrderType("alphabetAsc");
        PipelineModel model =
                new Pipeline().setStages(stages(indexer, classifier)).fit(words);
        Dataset<Row> predicted = model.transform(words);
        assertEquals(
                model.transformSchema(words.schema()).simpleString(),
                predicted.schema().simpleString());
        assertTrue(accuracy(predicted, "index") > 0.9);

        UnrollTextClassificationModel stage = (UnrollTextClassificationModel) model.stages()[1];
        assertArrayEquals(new String[] {"begins with b", "begins with c"}, stage.labels());
        PipelineModel loaded = saved(model, "classifier");
        assertEquals(sorted(predicted), sorted(loaded.transform(words)));
        try (Scorer scorer = Scorer.load(folderOf("classifier", stage, 1))) {
            for (Row row : predicted.limit(20).collectAsList()) {
                TextPrediction plain = scorer.predict(row.<String>getAs("text"));
                assertEquals(plain.answer(), row.getAs("predictedLabel"));
                Vector probabilities = row.getAs("probability");
                Vector logarithms = row.getAs("rawPrediction");
                assertEquals(probabilities.argmax(), row.<Double>getAs("prediction"));
                for (int label = 0; label < stage.labels().length; label++) {
                    assertEquals(plain.probabilities().get(stage.labels()[label]), probabilities.apply(label));
                    assertEquals(Math.log(probabilities.apply(label)), logarithms.apply(label), 1e-12);
                }
            }
        }
    }

    private static double accuracy(Dataset<Row> predicted, String label) {
        return new MulticlassClassificationEvaluator()
                .setMetricName("accuracy")
                .setLabelCol(label)
                .evaluate(predicted);
    }

    /** A StringIndexer gives the most frequent label the index 0, whatever its name; here it has more than 10 labels. */
    @Test
    void classifiersPredictNumbers() {
        Dataset<Row> words = words(600).withColumn("label", col("id").mod(13).cast("string"));
        words = words.withColumn("text", org.apache.spark.sql.functions.concat(col("label"), col("text")));
        StringIndexer indexer = new StringIndexer().setInputCol("label").setOutputCol("index");
        UnrollTextClassifier classifier = classifier()
                .setLabelCol("index")
                .setMaxEpochs(12)
                .setHiddenSize(24)
                .setSettings("model.pooling=max");
        PipelineModel model =
                new Pipeline().setStages(stages(indexer, classifier)).fit(words);
        UnrollTextClassificationModel stage = (UnrollTextClassificationModel) model.stages()[1];
        assertEquals(13, stage.labels().length);
        assertEquals("12", stage.labels()[12]);
        Dataset<Row> predicted = model.transform(words);
        double accuracy = accuracy(predicted, "index");
        assertTrue(accuracy > 0.5, "accuracy " + accuracy);
        double loss = new MulticlassClassificationEvaluator()
                .setMetricName("logLoss")
                .setLabelCol("index")
                .evaluate(predicted);
        assertTrue(loss < 2, "loss " + loss);
        // The labels are in the metadata of the index.
        Dataset<Row> named = new IndexToString()
                .setInputCol("prediction")
                .setOutputCol("name")
                .setLabels(((org.apache.spark.ml.feature.StringIndexerModel) model.stages()[0]).labelsArray()[0])
                .transform(predicted);
        assertEquals(accuracy, named.filter("name = label").count() / 600.0, 1e-9);
        assertEquals(
                predicted.filter("index = prediction").count(),
                new IndexToString()
                        .setInputCol("index")
                        .setOutputCol("indexed")
                        .transform(named)
                        .filter("indexed = name")
                        .count());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aNumberThatIsNoLabelHasProbabilityZero(boolean ansi) {
        spark.conf().set("spark.sql.ansi.enabled", ansi);
        try {
            Dataset<Row> words =
                    words(60).withColumn("label", col("id").mod(2).multiply(2).plus(1));
            UnrollTextClassificationModel model = classifier().setMaxEpochs(1).fit(words);
            assertArrayEquals(new String[] {"0", "1", "2", "3"}, model.labels());
            for (Row row : model.transform(words).collectAsList()) {
                Vector probabilities = row.getAs("probability");
                assertEquals(0, probabilities.apply(2));
                assertEquals(1, probabilities.apply(1) + probabilities.apply(3), 1e-5);
                assertTrue(List.of(1.0, 3.0).contains(row.<Double>getAs("prediction")));
            }
        } finally {
            spark.conf().unset("spark.sql.ansi.enabled");
        }
    }

    @Test
    void seq2seqModelsPredictTexts() throws IOException {
        Dataset<Row> words = words(200).withColumn("label", upper(col("text")));
        UnrollSeq2Seq seq2seq = seq2seq().setMaxEpochs(2).setBeam(2);
        PipelineModel model = new Pipeline().setStages(stages(seq2seq)).fit(words);
        Dataset<Row> predicted = model.transform(words);
        assertEquals(
                model.transformSchema(words.schema()).simpleString(),
                predicted.schema().simpleString());
        assertEquals(sorted(predicted), sorted(saved(model, "seq2seq").transform(words)));
        try (Scorer scorer = Scorer.load(folderOf("seq2seq", model.stages()[0], 0))) {
            for (Row row : predicted.limit(20).collectAsList()) {
                TextPrediction plain =
                        scorer.predict(List.of(row.<String>getAs("text")), 2).get(0);
                assertEquals(plain.answer(), row.getAs("prediction"));
                assertEquals(plain.logProbability(), row.<Double>getAs("logProbability"));
            }
        }
    }

    @Test
    void rowsWithoutATextHaveNoResult() {
        Dataset<Row> words = words(60);
        Dataset<Row> odd = pairs(
                org.apache.spark.sql.RowFactory.create(1, null, "x"),
                org.apache.spark.sql.RowFactory.create(2, " ", null),
                org.apache.spark.sql.RowFactory.create(3, "ab", null));
        for (Map.Entry<UnrollModel<?>, String> model : Map.<UnrollModel<?>, String>of(
                        language().setMaxEpochs(1).fit(words), "score",
                        classifier().setMaxEpochs(1).fit(words), "prediction",
                        seq2seq().setMaxEpochs(1).fit(words), "prediction")
                .entrySet()) {
            Dataset<Row> results = model.getKey().transform(odd).orderBy("id");
            List<Row> rows = results.collectAsList();
            assertEquals("null", rows.get(0).getAs("unscored"));
            assertEquals("empty", rows.get(1).getAs("unscored"));
            assertNull(rows.get(2).getAs("unscored"));
            assertNotNull(rows.get(2).getAs(model.getValue()));
            for (var output : model.getKey().outputs().fieldNames()) {
                assertTrue(output.equals("unscored") || rows.get(0).getAs(output) == null, output);
            }
        }
    }
}
