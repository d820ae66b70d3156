#!/usr/bin/env bash
# Trains on a cluster: jobs/submit.sh MASTER CONF [key=value ...], with the spark-submit of SPARK_HOME.
# EXECUTOR_MEMORY and EXECUTOR_OVERHEAD change what an executor gets; anything else is in spark-defaults.conf.
#
#   jobs/submit.sh spark://host:7077 my.conf run.directory=hdfs:///runs/one corpus.path=hdfs:///books
#   jobs/submit.sh yarn my.conf
#
# Paths in the configuration must be readable on every machine: hdfs://, s3a://, or a shared folder.
# A replica's memory lies outside the Java heap: training prints how much, and an executor needs that for each of its
# tasks, and 300 MiB for the libraries, as memoryOverhead (YARN and Kubernetes heed it).
set -euo pipefail
home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
[ $# -ge 2 ] || { echo "usage: jobs/submit.sh MASTER CONF [key=value ...]" >&2; exit 2; }
[ -n "${SPARK_HOME:-}" ] || { echo "submit.sh: set SPARK_HOME to your Spark 3.5 (Scala 2.12)." >&2; exit 2; }
master=$1
shift
exec "$home/jobs/unroll" \
  --master "$master" \
  --deploy-mode client \
  --conf spark.executor.memory="${EXECUTOR_MEMORY:-2g}" \
  --conf spark.executor.memoryOverhead="${EXECUTOR_OVERHEAD:-2g}" \
  train "$@"
