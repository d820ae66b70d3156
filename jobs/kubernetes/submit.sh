#!/usr/bin/env bash
# Trains on Kubernetes, in cluster mode. Driver and executors use the image that the Dockerfile in this folder builds:
#
#   jobs/kubernetes/submit.sh API-SERVER IMAGE CONF [key=value ...]
#
#   SPARK_HOME=/opt/spark jobs/kubernetes/submit.sh https://host:6443 REGISTRY/unroll my.conf \
#     run.directory=s3a://bucket/runs/one
#
# CONF is the name of a file in conf/ of the image. Spark replaces lost executors and repeats their tasks. If the driver
# is lost, run the same command again: training resumes from the last checkpoint.
#
# Environment variables:
#   NAMESPACE        namespace of the pods (default: default)
#   SERVICE_ACCOUNT  service account of the driver, which must be allowed to create pods (default: spark)
#   EXECUTORS        number of executors, which train one replica at a time (default: 4)
#   EXECUTOR_MEMORY  Java heap of an executor (default: 2g)
#   REPLICA_MIB      MiB of a replica outside the Java heap; training prints it before the first round (default: 1700)
#
# The memory limit of an executor's pod is EXECUTOR_MEMORY + 300 MiB + 1.25 x REPLICA_MIB (see docs/guide/clusters.md).
set -euo pipefail
[ $# -ge 3 ] || { sed -n 's/^#  */usage: /p' "$0" | grep -m 1 jobs/ >&2; exit 2; }
[ -n "${SPARK_HOME:-}" ] || { echo "submit.sh: set SPARK_HOME to your Spark, from 3.5 to 4.2." >&2; exit 2; }
server=$1 image=$2 configuration=$3
shift 3
exec "$SPARK_HOME/bin/spark-submit" \
  --master "k8s://$server" \
  --deploy-mode cluster \
  --name unroll \
  --class io.unroll.cli.Main \
  --conf spark.kubernetes.namespace="${NAMESPACE:-default}" \
  --conf spark.kubernetes.authenticate.driver.serviceAccountName="${SERVICE_ACCOUNT:-spark}" \
  --conf spark.kubernetes.container.image="$image" \
  --conf spark.kubernetes.submission.waitAppCompletion=true \
  --conf spark.executor.instances="${EXECUTORS:-4}" \
  --conf spark.executor.cores=1 \
  --conf spark.executor.memory="${EXECUTOR_MEMORY:-2g}" \
  --conf spark.executor.memoryOverhead="$((300 + (${REPLICA_MIB:-1700} * 5 + 3) / 4))m" \
  --conf spark.driver.memoryOverhead=1g \
  local:///opt/unroll/unroll.jar train "/opt/unroll/conf/$configuration" "$@"
