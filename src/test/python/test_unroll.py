"""Trains, scores, saves and loads in Python; started by PySparkIT with a folder for its files."""

import inspect
import sys

from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder
from pyspark.sql import SparkSession

folder = sys.argv[1]

try:
    import unroll

    unroll.UnrollTextClassifier()
    raise AssertionError("a stage without a session")
except RuntimeError as error:
    assert "needs a running Spark session" in str(error), error

spark = SparkSession.builder.getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
words = [("%s%d" % ("ab"[i % 2] * 3, i), "even" if i % 2 == 0 else "odd") for i in range(120)]
rows = spark.createDataFrame(words, "text string, label string").repartition(3)


def small(stage):
    return stage.setHiddenSize(8).setNumLayers(1).setBatchSize(8).setLearningRate(0.02).setMaxEpochs(6)


classifier = small(unroll.UnrollTextClassifier(seed=3))
assert classifier.getSeed() == 3 and classifier.getInputCol() == "text" and classifier.getNumWorkers() == 2
language = small(unroll.UnrollLanguageEstimator()).setMaxEpochs(1).setPrefix("lm_").setOutputCol("bits")
language.setUnscoredCol("lm_unscored").setSettings("corpus.validation=0.1", "corpus.test=0.2")

model = Pipeline(stages=[classifier, language]).fit(rows)
assert isinstance(model.stages[0], unroll.UnrollTextClassificationModel)
assert model.stages[0].labels() == ["even", "odd"], model.stages[0].labels()
predicted = model.transform(rows)
assert predicted.filter("label = predictedLabel").count() == 120
assert predicted.filter("bits > 0 AND lm_tokens > 0").count() == 120

model.write().overwrite().save(folder + "/pipeline")
loaded = PipelineModel.load(folder + "/pipeline")
assert isinstance(loaded.stages[1], unroll.UnrollLanguageModel)
key = lambda row: row["text"]
assert sorted(predicted.collect(), key=key) == sorted(loaded.transform(rows).collect(), key=key)

alone = model.stages[1]
alone.write().overwrite().save(folder + "/language")
again = unroll.UnrollLanguageModel.load(folder + "/language").setThreshold(0.5)
assert again.getThreshold() == 0.5 and again.getOutputCol() == "bits"
assert again.transform(rows).filter("lm_anomaly").count() > 0
assert unroll.UnrollLanguageModel.fromFolder(folder + "/language/model").transform(rows).count() == 120

classifier.write().overwrite().save(folder + "/estimator")
assert unroll.UnrollTextClassifier.load(folder + "/estimator").getMaxEpochs() == 6

grid = ParamGridBuilder().addGrid(classifier.maxEpochs, [1, 6]).build()
indexed = rows.withColumn("index", (rows.label == "odd").cast("double"))
best = CrossValidator(
    estimator=classifier,
    estimatorParamMaps=grid,
    evaluator=MulticlassClassificationEvaluator(labelCol="index", metricName="accuracy"),
    numFolds=2,
    seed=1,
).fit(indexed)
assert best.avgMetrics[1] > best.avgMetrics[0] - 1e-9, best.avgMetrics
evaluator = unroll.BitsPerTokenEvaluator(scoreCol="bits", tokensCol="lm_tokens")
assert (evaluator.getScoreCol(), evaluator.getTokensCol()) == ("bits", "lm_tokens")
assert evaluator.evaluate(predicted) > 0 and not evaluator.isLargerBetter()
pairs = small(unroll.UnrollSeq2Seq()).setMaxEpochs(1).fit(rows)
assert pairs.setBeam(2).transform(rows.limit(5)).filter("prediction IS NOT NULL").count() == 5

for stage in [classifier, language, unroll.UnrollSeq2Seq(), evaluator, *model.stages, pairs]:
    in_java = {param.name() for param in stage._java_obj.params()}
    assert {param.name for param in stage.params} == in_java, (stage, in_java)

for name in unroll.__all__:
    assert inspect.getdoc(getattr(unroll, name)), name
print("all is well")
