"""
### Unroll, nightly

`prepare >> train >> evaluate >> publish`: trains a language model on `corpus`, and publishes it to `models`/latest
unless the model that is there has a lower perplexity on `held_out`.

* **Idempotent**: a logical date has one folder, `runs`/`ts_nodash`. A retry of `train` resumes from the last checkpoint in
  it; a cleared task that was done finds its result and succeeds; publishing the same model twice changes nothing.
* **A date is one corpus and one configuration**: with others, the folder's run is refused (exit status 2). Delete the
  folder to train a date anew.
* **Comparable**: `held_out` must be the same text every night, and be no part of `corpus`. Should it hold characters
  that tonight's corpus may lack, use `corpus.tokenizer = byte`, which reads any text.
* **Paths** must be seen by every machine (`hdfs://`, `s3a://`, a shared folder); `jar` and `conf` by the Airflow
  worker, which runs the driver. The master comes from the connection `spark_default`.

Airflow 2.7 or later, with `apache-airflow-providers-apache-spark`; the connection's `spark-submit` is of Spark 3.5.
"""

from datetime import datetime, timedelta, timezone

from airflow import DAG
from airflow.models.param import Param
from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator

PARAMS = {
    "jar": Param("/opt/unroll/unroll.jar", type="string", description="The job jar, target/unroll.jar."),
    "conf": Param("/opt/unroll/nightly.conf", type="string", description="The run's configuration."),
    "corpus": Param("hdfs:///corpus", type="string", description="Text to train on: a file, a folder or a glob."),
    "held_out": Param("hdfs:///held-out", type="string", description="Text to compare models on, the same each night."),
    "runs": Param("hdfs:///unroll/runs", type="string", description="Holds a folder for each logical date."),
    "models": Param("hdfs:///unroll/models", type="string", description="Holds the published model, in latest/."),
    "epochs": Param(10, type="integer", minimum=1, description="How often the corpus is read."),
    "tolerance": Param(0, type="number", minimum=0, description="Publish also if worse by this share; 0.01 is 1 %."),
    "executors": Param(2, type="integer", minimum=1, description="Executors."),
    "executor_cores": Param(1, type="integer", minimum=1, description="Replicas that an executor trains at once."),
    "executor_memory": Param("2g", type="string", description="Java heap of an executor."),
    "executor_overhead": Param(
        "2g", type="string", description="Memory outside the heap: 1.2 x what train prints for a replica x cores, + 300 MiB."
    ),
    "driver_memory": Param("2g", type="string", description="Java heap of the driver, which averages the weights."),
}

# The operator's executor_memory and its like are no templates; conf is.
SPARK_CONF = {
    "spark.submit.deployMode": "client",
    "spark.executor.instances": "{{ params.executors }}",
    "spark.executor.cores": "{{ params.executor_cores }}",
    "spark.executor.memory": "{{ params.executor_memory }}",
    "spark.executor.memoryOverhead": "{{ params.executor_overhead }}",
    "spark.driver.memory": "{{ params.driver_memory }}",
}

with DAG(
    dag_id="unroll_nightly",
    description="Trains a language model every night, and publishes it unless it is worse.",
    doc_md=__doc__,
    schedule="@daily",
    start_date=datetime(2025, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    params=PARAMS,
    tags=["unroll"],
    default_args={
        "owner": "unroll",
        "retries": 3,
        "retry_delay": timedelta(minutes=5),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(hours=1),
        "application": "{{ params.jar }}",
        "java_class": "io.unroll.cli.Main",
        "conf": SPARK_CONF,
        "conn_id": "spark_default",
    },
) as dag:
    # Token files are found again by the corpus' content: nights with the same text share them.
    prepare = SparkSubmitOperator(
        task_id="prepare",
        name="unroll-prepare-{{ ts_nodash }}",
        application_args=[
            "prepare",
            "{{ params.conf }}",
            "run.directory={{ params.runs }}/{{ ts_nodash }}",
            "corpus.path={{ params.corpus }}",
            "corpus.prepared={{ params.runs }}/prepared",
            "--json",
        ],
    )

    train = SparkSubmitOperator(
        task_id="train",
        name="unroll-train-{{ ts_nodash }}",
        application_args=[
            "train",
            "{{ params.conf }}",
            "run.directory={{ params.runs }}/{{ ts_nodash }}",
            "corpus.path={{ params.corpus }}",
            "corpus.prepared={{ params.runs }}/prepared",
            "training.epochs={{ params.epochs }}",
            "--json",
        ],
    )

    # For the log: what publish compares, and bits per token.
    evaluate = SparkSubmitOperator(
        task_id="evaluate",
        name="unroll-evaluate-{{ ts_nodash }}",
        application_args=[
            "evaluate",
            "{{ params.runs }}/{{ ts_nodash }}/model",
            "{{ params.held_out }}",
            "--json",
        ],
    )

    # Succeeds where the published model is better, too: it stays, and the log says so.
    publish = SparkSubmitOperator(
        task_id="publish",
        name="unroll-publish-{{ ts_nodash }}",
        application_args=[
            "publish",
            "{{ params.runs }}/{{ ts_nodash }}/model",
            "{{ params.models }}/latest",
            "{{ params.held_out }}",
            "--tolerance={{ params.tolerance }}",
            "--json",
        ],
    )

    prepare >> train >> evaluate >> publish
