#!/usr/bin/env bash
# Trains on a standalone or YARN cluster, with the spark-submit of SPARK_HOME: jobs/submit.sh MASTER CONF [key=value ...]
# (This machine alone: jobs/unroll train CONF. Kubernetes: jobs/kubernetes/submit.sh.)
#
#   jobs/submit.sh spark://host:7077 my.conf run.directory=hdfs:///runs/one corpus.path=hdfs:///books
#   HADOOP_CONF_DIR=/etc/hadoop/conf EXECUTORS=8 REPLICA_MIB=120 jobs/submit.sh yarn my.conf
#
# Paths in the configuration must be readable on every machine: hdfs://, s3a://, or a shared folder. After a failure, run
# the same command again: it resumes from the last checkpoint.
#
# A replica's memory lies outside the Java heap, and YARN kills an executor that takes more of it than
#   spark.executor.memoryOverhead = 300 MiB + 1.2 x EXECUTOR_CORES x REPLICA_MIB
# REPLICA_MIB is what training prints that a replica takes (here 700, if it is not given); where the overhead is too
# little, training says so at its start.
set -euo pipefail
self=$(readlink -f -- "${BASH_SOURCE[0]}")
home=${self%/*/*}
[ $# -ge 2 ] || { sed -n 's/^# \{0,1\}//p' "$0" | tail -n +2 >&2; exit 2; }
[ -n "${SPARK_HOME:-}" ] || { echo "submit.sh: set SPARK_HOME to your Spark 3.5 (Scala 2.12)." >&2; exit 2; }
master=$1
shift
cores=${EXECUTOR_CORES:-1}
options=(--master "$master" --deploy-mode client
  --conf spark.executor.cores="$cores"
  --conf spark.executor.memory="${EXECUTOR_MEMORY:-2g}"
  --conf spark.executor.memoryOverhead="$((300 + (cores * ${REPLICA_MIB:-700} * 6 + 4) / 5))m")
[ -z "${EXECUTORS:-}" ] || options+=(--conf spark.executor.instances="$EXECUTORS")
exec "$home/jobs/unroll" "${options[@]}" train "$@"
