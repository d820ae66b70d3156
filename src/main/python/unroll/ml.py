"""Estimators and models for Spark ML. What a setting means is described at the methods of the same name in Java."""

import os
import sys
from typing import Any, List, Type, TypeVar

try:
    from py4j.java_gateway import JavaObject, JavaPackage
    from pyspark import SparkContext
except ImportError as e:
    # The client of Spark Connect has neither.
    raise ImportError("Unroll needs PySpark with a classic session: Spark Connect cannot run Unroll.") from e
from pyspark.ml.evaluation import JavaEvaluator
from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.util import JavaMLReadable, JavaMLReader, JavaMLWritable
from pyspark.ml.wrapper import JavaEstimator, JavaModel

_JAVA = "io.unroll.ml"

S = TypeVar("S", bound="_Stage")
M = TypeVar("M", bound="_Model")


def _java_class(name: str) -> Any:
    """The Java class of this name; raises RuntimeError with advice where there is none."""
    if "SPARK_CONNECT_MODE_ENABLED" in os.environ:  # set by PySpark with the first remote session
        raise RuntimeError(
            "Spark Connect cannot run Unroll: create a classic session, without SPARK_REMOTE and without remote()."
        )
    context = SparkContext._active_spark_context
    if context is None or context._jvm is None:
        raise RuntimeError(
            "Unroll needs a running Spark session in this process: create one with SparkSession.builder.getOrCreate()."
        )
    java_class = getattr(getattr(context._jvm, "io").unroll.ml, name)
    if isinstance(java_class, JavaPackage):
        raise RuntimeError(
            "Unroll's jar is not on Spark's class path: start Spark with --jars unroll.jar; in a notebook, set"
            " spark.jars before the session is created."
        )
    return java_class


def _text(name: str, doc: str) -> Any:
    return Param(Params._dummy(), name, doc, TypeConverters.toString)


def _number(name: str, doc: str) -> Any:
    return Param(Params._dummy(), name, doc, TypeConverters.toInt)


def _real(name: str, doc: str) -> Any:
    return Param(Params._dummy(), name, doc, TypeConverters.toFloat)


class _Reader(JavaMLReader):
    """Finds the Java class of a Python class: PySpark would look for it in org.apache.spark."""

    @classmethod
    def _java_loader_class(cls, clazz: Type[Any]) -> str:
        _java_class(clazz.__name__)
        return _JAVA + "." + clazz.__name__


class _Readable(JavaMLReadable):
    @classmethod
    def read(cls) -> Any:
        return _Reader(cls)


class _Stage(Params):
    """What estimators and models have in common: the input, and why a row has no result."""

    inputCol = _text("inputCol", "column of texts")
    unscoredCol = _text("unscoredCol", "output column: why a row has no result, or null if it has one")

    def getInputCol(self) -> str:
        return self.getOrDefault(self.inputCol)

    def setInputCol(self: S, value: str) -> S:
        """Column of texts. Default: text."""
        return self._set(inputCol=value)

    def getUnscoredCol(self) -> str:
        return self.getOrDefault(self.unscoredCol)

    def setUnscoredCol(self: S, value: str) -> S:
        """Output column: null, empty, too_long or malformed; null if the row has a result. Default: unscored."""
        return self._set(unscoredCol=value)


class _Scores(_Stage):
    outputCol = _text("outputCol", "output column: mean bits per token")
    prefix = _text("prefix", "prefix of the output columns whose names are not set by other Params")
    quantile = _real("quantile", "a score above this quantile of the held-out rows is an anomaly")
    threshold = _real("threshold", "a score above this value is an anomaly")
    topG = _number("topG", "a text with a token that is not among this number of most probable tokens is an anomaly")

    def getOutputCol(self) -> str:
        return self.getOrDefault(self.outputCol)

    def setOutputCol(self: S, value: str) -> S:
        """Output column: mean bits per token. Default: score."""
        return self._set(outputCol=value)

    def getPrefix(self) -> str:
        return self.getOrDefault(self.prefix)

    def setPrefix(self: S, value: str) -> S:
        """Prefix of the output columns whose names are not set by other Params. Default: empty."""
        return self._set(prefix=value)

    def getQuantile(self) -> float:
        return self.getOrDefault(self.quantile)

    def setQuantile(self: S, value: float) -> S:
        """A score above this quantile of the held-out rows is an anomaly. Default: 0.999."""
        return self._set(quantile=value)

    def getThreshold(self) -> float:
        return self.getOrDefault(self.threshold)

    def setThreshold(self: S, value: float) -> S:
        """A score above this value, in bits per token, is an anomaly. Replaces the quantile."""
        return self._set(threshold=value)

    def getTopG(self) -> int:
        return self.getOrDefault(self.topG)

    def setTopG(self: S, value: int) -> S:
        """A text with a token outside the topG most probable ones is an anomaly. Replaces the quantile."""
        return self._set(topG=value)


class _Predictions(_Stage):
    labelCol = _text("labelCol", "column of labels, or of target texts")
    predictionCol = _text("predictionCol", "output column of predictions")

    def getLabelCol(self) -> str:
        return self.getOrDefault(self.labelCol)

    def setLabelCol(self: S, value: str) -> S:
        """Column of labels (strings or whole numbers), or of target texts. Default: label."""
        return self._set(labelCol=value)

    def getPredictionCol(self) -> str:
        return self.getOrDefault(self.predictionCol)

    def setPredictionCol(self: S, value: str) -> S:
        """Output column of predictions: the index of a label, or a text. Default: prediction."""
        return self._set(predictionCol=value)


class _Classes(_Predictions):
    probabilityCol = _text("probabilityCol", "output column: vector of the labels' probabilities")
    rawPredictionCol = _text("rawPredictionCol", "output column: vector of the labels' log-probabilities, in nats")
    predictedLabelCol = _text("predictedLabelCol", "output column: the predicted label as text")

    def getProbabilityCol(self) -> str:
        return self.getOrDefault(self.probabilityCol)

    def setProbabilityCol(self: S, value: str) -> S:
        """Output column: vector of the labels' probabilities. Default: probability."""
        return self._set(probabilityCol=value)

    def getRawPredictionCol(self) -> str:
        return self.getOrDefault(self.rawPredictionCol)

    def setRawPredictionCol(self: S, value: str) -> S:
        """Output column: vector of the labels' log-probabilities, in nats. Default: rawPrediction."""
        return self._set(rawPredictionCol=value)

    def getPredictedLabelCol(self) -> str:
        return self.getOrDefault(self.predictedLabelCol)

    def setPredictedLabelCol(self: S, value: str) -> S:
        """Output column: the predicted label as text. Default: predictedLabel."""
        return self._set(predictedLabelCol=value)


class _Texts(_Predictions):
    logProbabilityCol = _text("logProbabilityCol", "output column: log-probability of the predicted text, in nats")
    beam = _number("beam", "width of the beam search")

    def getLogProbabilityCol(self) -> str:
        return self.getOrDefault(self.logProbabilityCol)

    def setLogProbabilityCol(self: S, value: str) -> S:
        """Output column: log-probability of the predicted text, in nats. Default: logProbability."""
        return self._set(logProbabilityCol=value)

    def getBeam(self) -> int:
        return self.getOrDefault(self.beam)

    def setBeam(self: S, value: int) -> S:
        """Width of the beam search; 1 is greedy decoding. Default: 1."""
        return self._set(beam=value)


class _Model(JavaModel, _Readable, JavaMLWritable):
    """A model that was fitted, loaded, or trained by the command line."""

    def __init__(self, java_model: Any = None) -> None:
        if java_model is None:
            java_model = _java_class(type(self).__name__)()
        super().__init__(java_model)
        self._transfer_params_from_java()

    @classmethod
    def fromFolder(cls: Type[M], folder: str) -> M:
        """Reads a model that ``unroll train`` has written: a model folder or the directory of a run."""
        return cls(_java_class(cls.__name__).fromFolder(folder))

    @classmethod
    def _from_java(cls: Type[M], java_stage: JavaObject) -> M:
        return cls(java_stage)


class UnrollLanguageModel(_Model, _Scores):
    """Appends the surprisal of texts: the columns of the command ``unroll score``."""


class UnrollTextClassificationModel(_Model, _Classes):
    """Predicts the labels of texts."""

    def labels(self) -> List[str]:
        """The labels, in the order of their indices."""
        return list(self._call_java("labels"))


class UnrollSeq2SeqModel(_Model, _Texts):
    """Predicts a text for each text."""


class _Estimator(JavaEstimator, _Readable, JavaMLWritable):
    """What all estimators have in common. Each Param is a key of conf/reference.conf; ``settings`` has the others."""

    _model: Type[_Model]

    validationIndicatorCol = _text("validationIndicatorCol", "boolean column: whether a row is held out for validation")
    weightCol = _text("weightCol", "column of the weights of the rows in training")
    maxEpochs = _number("maxEpochs", "number of epochs")
    learningRate = _real("learningRate", "learning rate")
    batchSize = _number("batchSize", "number of sequences that a replica processes at once")
    hiddenSize = _number("hiddenSize", "number of hidden units of each layer")
    numLayers = _number("numLayers", "number of recurrent layers")
    cellType = _text("cellType", "recurrent cell: lstm, gru, rnn or another of model.cell")
    numWorkers = _number("numWorkers", "number of replicas that train in parallel")
    seed = _number("seed", "seed of all random numbers")
    checkpointDir = _text("checkpointDir", "folder for checkpoints, in a file system that all machines share")
    settings = Param(
        Params._dummy(),
        "settings",
        "other keys of conf/reference.conf, as key=value",
        TypeConverters.toListString,
    )

    def __init__(self, **values: Any) -> None:
        super().__init__()
        _java_class(type(self).__name__)
        self._java_obj = self._new_java_obj(_JAVA + "." + type(self).__name__, self.uid)
        self._transfer_params_from_java()
        self._set(**values)

    @classmethod
    def _from_java(cls, java_stage: JavaObject) -> Any:
        stage = cls()
        stage._java_obj = java_stage
        stage._resetUid(java_stage.uid())
        stage._transfer_params_from_java()
        return stage

    def _create_model(self, java_model: JavaObject) -> _Model:
        return self._model(java_model)

    def getValidationIndicatorCol(self) -> str:
        return self.getOrDefault(self.validationIndicatorCol)

    def setValidationIndicatorCol(self: S, value: str) -> S:
        """Boolean column: whether a row is held out for validation. Not set: a share of the rows is held out."""
        return self._set(validationIndicatorCol=value)

    def getWeightCol(self) -> str:
        return self.getOrDefault(self.weightCol)

    def setWeightCol(self: S, value: str) -> S:
        """Numeric column of the weights of the rows in training, from 0 to 1e9. Not set: all are 1."""
        return self._set(weightCol=value)

    def getMaxEpochs(self) -> int:
        return self.getOrDefault(self.maxEpochs)

    def setMaxEpochs(self: S, value: int) -> S:
        """Number of epochs. Default: 10."""
        return self._set(maxEpochs=value)

    def getLearningRate(self) -> float:
        return self.getOrDefault(self.learningRate)

    def setLearningRate(self: S, value: float) -> S:
        """Learning rate of the optimizer."""
        return self._set(learningRate=value)

    def getBatchSize(self) -> int:
        return self.getOrDefault(self.batchSize)

    def setBatchSize(self: S, value: int) -> S:
        """Number of sequences that a replica processes at once."""
        return self._set(batchSize=value)

    def getHiddenSize(self) -> int:
        return self.getOrDefault(self.hiddenSize)

    def setHiddenSize(self: S, value: int) -> S:
        """Number of hidden units of each layer."""
        return self._set(hiddenSize=value)

    def getNumLayers(self) -> int:
        return self.getOrDefault(self.numLayers)

    def setNumLayers(self: S, value: int) -> S:
        """Number of recurrent layers."""
        return self._set(numLayers=value)

    def getCellType(self) -> str:
        return self.getOrDefault(self.cellType)

    def setCellType(self: S, value: str) -> S:
        """Recurrent cell: lstm, gru, rnn or another of model.cell."""
        return self._set(cellType=value)

    def getNumWorkers(self) -> int:
        return self.getOrDefault(self.numWorkers)

    def setNumWorkers(self: S, value: int) -> S:
        """Number of replicas that train in parallel. Default: 2."""
        return self._set(numWorkers=value)

    def getSeed(self) -> int:
        return self.getOrDefault(self.seed)

    def setSeed(self: S, value: int) -> S:
        """Seed of all random numbers."""
        return self._set(seed=value)

    def getCheckpointDir(self) -> str:
        return self.getOrDefault(self.checkpointDir)

    def setCheckpointDir(self: S, value: str) -> S:
        """Folder for checkpoints, in a file system that all machines share. A repeated fit resumes from them."""
        return self._set(checkpointDir=value)

    def getSettings(self) -> List[str]:
        return self.getOrDefault(self.settings)

    def setSettings(self: S, *values: str) -> S:
        """Other keys of conf/reference.conf, as key=value, such as model.dropout=0.2."""
        return self._set(settings=list(values))


class UnrollLanguageEstimator(_Estimator, _Scores):
    """Trains a language model of documents, one in each row."""

    _model = UnrollLanguageModel


class UnrollTextClassifier(_Estimator, _Classes):
    """Trains a classifier of texts."""

    _model = UnrollTextClassificationModel


class UnrollSeq2Seq(_Estimator, _Texts):
    """Trains a model that predicts a text for each text."""

    _model = UnrollSeq2SeqModel


class BitsPerTokenEvaluator(JavaEvaluator, _Readable, JavaMLWritable):
    """Mean bits per token of scored rows: lower is better."""

    scoreCol = _text("scoreCol", "column of bits per token")
    tokensCol = _text("tokensCol", "column of the number of tokens, by which the scores are weighted")

    def __init__(self, **values: str) -> None:
        super().__init__()
        _java_class("BitsPerTokenEvaluator")
        self._java_obj = self._new_java_obj(_JAVA + ".BitsPerTokenEvaluator", self.uid)
        self._transfer_params_from_java()
        self._set(**values)

    def setScoreCol(self, value: str) -> "BitsPerTokenEvaluator":
        """Column of bits per token. Default: score."""
        return self._set(scoreCol=value)

    def setTokensCol(self, value: str) -> "BitsPerTokenEvaluator":
        """Column of the number of tokens. Default: tokens."""
        return self._set(tokensCol=value)

    def getScoreCol(self) -> str:
        return self.getOrDefault(self.scoreCol)

    def getTokensCol(self) -> str:
        return self.getOrDefault(self.tokensCol)

    def isLargerBetter(self) -> bool:
        return False


# PySpark imports the class of a stage of a pipeline by its Java name.
sys.modules[_JAVA] = sys.modules[__name__]
