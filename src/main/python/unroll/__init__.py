"""Recurrent networks for text in pipelines of Spark ML: the classes of the Java package ``io.unroll.ml``.

Start Spark with Unroll's jar, which contains this package::

    spark-submit --jars unroll.jar --py-files unroll.jar my_job.py

The classes need a classic Spark session; Spark Connect has no way to run them.
"""

from unroll.ml import (
    BitsPerTokenEvaluator,
    UnrollLanguageEstimator,
    UnrollLanguageModel,
    UnrollSeq2Seq,
    UnrollSeq2SeqModel,
    UnrollTextClassificationModel,
    UnrollTextClassifier,
)

__all__ = [
    "BitsPerTokenEvaluator",
    "UnrollLanguageEstimator",
    "UnrollLanguageModel",
    "UnrollSeq2Seq",
    "UnrollSeq2SeqModel",
    "UnrollTextClassificationModel",
    "UnrollTextClassifier",
]
