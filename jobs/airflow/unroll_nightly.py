"""
### Nightly training with Unroll

`prepare >> train >> evaluate >> publish >> score`: trains a model on `corpus` and publishes it to `models`/latest, if its
perplexity on `held_out` is not higher than that of the model in `models`/latest. Then the published model scores the rows
of the logical date, `rows`/dt=DATE.

* **Idempotent**: each logical date has its own folder, `runs`/`ts_nodash`. A retry of `train` resumes from the last
  checkpoint. If `prepare`, `train` or `evaluate` is complete and you clear it, it runs again and changes nothing.
  `publish` compares the two models again. `score` replaces the partition of the date.
* **Fixed inputs for a date**: `train` fails with exit status 2 if the corpus or the configuration has changed since the
  first try. To train the date again, delete its folder.
* **Held-out text**: use the same `held_out` every night, and keep it out of `corpus`. `evaluate` and `publish` fail if
  it contains a character that is not in the model's vocabulary. `corpus.tokenizer = byte` avoids this.
* **Paths**: all machines must be able to read the corpus and to write to `runs` and `models` (`hdfs://`, `s3a://` or a
  shared folder). `jar` and `conf` are files on the Airflow worker, which runs the driver. The connection
  `spark_default` specifies the master.

Requires Airflow 2.7 or later, `apache-airflow-providers-apache-spark`, and `spark-submit` of a Spark from 3.5 to 4.2.
Unroll's docs/guide/airflow.md describes the parameters.
"""

from datetime import datetime, timedelta, timezone

from airflow import DAG
from airflow.models.param import Param
from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator

PARAMS = {
    "jar": Param("/opt/unroll/unroll.jar", type="string", description="The job jar, target/unroll.jar."),
    "conf": Param("/opt/unroll/nightly.conf", type="string", description="Configuration file of the run."),
    "corpus": Param("hdfs:///corpus", type="string", description="Training text: a file, a folder or a glob."),
    "held_out": Param("hdfs:///held-out", type="string", description="Text for comparing models, the same each night."),
    "runs": Param("hdfs:///unroll/runs", type="string", description="Output folder, with a subfolder for each date."),
    "models": Param("hdfs:///unroll/models", type="string", description="Folder of the published model, latest/."),
    "rows": Param("hdfs:///events", type="string", description="Rows to score, with a subfolder dt=DATE for each date."),
    "scores": Param("hdfs:///unroll/scores", type="string", description="Output folder of the scores, partitioned by dt."),
    "alarms": Param("hdfs:///unroll/alarms", type="string", description="Folder of the counts, DATE.json."),
    "epochs": Param(10, type="integer", minimum=1, description="Passes over the training text."),
    "tolerance": Param(0, type="number", minimum=0, description="Publish up to this much worse: 0.01 is 1 %."),
    "executors": Param(2, type="integer", minimum=1, description="Number of executors."),
    "executor_cores": Param(1, type="integer", minimum=1, description="Replicas that an executor trains in parallel."),
    "executor_memory": Param("2g", type="string", description="Java heap of an executor."),
    "executor_overhead": Param(
        "2g", type="string", description="Memory outside the heap: 300 MiB + 1.25 x cores x memory of a replica."
    ),
    "driver_memory": Param("2g", type="string", description="Java heap of the driver, which averages the weights."),
}

# The operator renders templates in conf, but not in its arguments executor_memory, executor_cores and so on.
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
    description="Trains a model every night, and publishes it if it is not worse.",
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
    # All dates share the prepared corpus. It is reused as long as the content of the corpus does not change.
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

    # Writes the scores of the new model to the task log. publish does not depend on them.
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

    # Also succeeds if the published model is better. Then it keeps the published model, and the task log says so.
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

    # Scores the rows of the date with the published model, which may be of an earlier date.
    score = SparkSubmitOperator(
        task_id="score",
        name="unroll-score-{{ ts_nodash }}",
        application_args=[
            "score",
            "{{ params.models }}/latest",
            "{{ params.rows }}/dt={{ ds }}",
            "corpus.options.basePath={{ params.rows }}",
            "--out={{ params.scores }}",
            "--partition-by=dt",
            "--mode=overwrite",
            "--metrics={{ params.alarms }}/{{ ds }}.json",
            "--json",
        ],
    )

    prepare >> train >> evaluate >> publish >> score
