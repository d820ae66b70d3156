#!/usr/bin/env bash
# Trains on a standalone or YARN cluster, in client mode, with the spark-submit of SPARK_HOME:
#
#   jobs/submit.sh MASTER CONF [key=value ...]
#
#   export SPARK_HOME=/opt/spark
#   jobs/submit.sh spark://host:7077 my.conf run.directory=hdfs://namenode/runs/one corpus.path=hdfs://namenode/books
#   HADOOP_CONF_DIR=/etc/hadoop/conf EXECUTORS=8 REPLICA_MIB=120 jobs/submit.sh yarn my.conf
#
# On one machine, use jobs/unroll train CONF. For Kubernetes, use jobs/kubernetes/submit.sh.
# The paths in the configuration must be accessible from all machines: hdfs://, s3a:// or a shared folder.
# To resume after a failure, run the same command again.
#
# Environment variables:
#   EXECUTORS        number of executors on YARN (default: Spark's); on standalone, set spark.cores.max instead
#   EXECUTOR_CORES   cores of an executor, one replica at a time for each cluster.threads of them (default: 1)
#   EXECUTOR_MEMORY  Java heap of an executor (default: 2g)
#   REPLICA_MIB      MiB of a replica outside the Java heap; training prints it before the first round (default: 700)
#
# The script sets spark.executor.memoryOverhead to 300 MiB + 1.25 x EXECUTOR_CORES x REPLICA_MIB. On YARN, training fails
# before the first round if that is too little. docs/guide/clusters.md explains memory.
set -euo pipefail
self=$(readlink -f -- "${BASH_SOURCE[0]}")
home=${self%/*/*}
[ $# -ge 2 ] || { sed -n 's/^# \{0,1\}//p' "$0" | tail -n +2 >&2; exit 2; }
[ -n "${SPARK_HOME:-}" ] || { echo "submit.sh: set SPARK_HOME to your Spark, from 3.5 to 4.2." >&2; exit 2; }
master=$1
shift
cores=${EXECUTOR_CORES:-1}
options=(--master "$master" --deploy-mode client
  --conf spark.executor.cores="$cores"
  --conf spark.executor.memory="${EXECUTOR_MEMORY:-2g}"
  --conf spark.executor.memoryOverhead="$((300 + (cores * ${REPLICA_MIB:-700} * 5 + 3) / 4))m")
[ -z "${EXECUTORS:-}" ] || options+=(--conf spark.executor.instances="$EXECUTORS")
exec "$home/jobs/unroll" "${options[@]}" train "$@"
