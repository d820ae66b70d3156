#!/usr/bin/env bash
# Trains on Kubernetes, driver and executors in the image of the Dockerfile beside this:
#
#   jobs/kubernetes/submit.sh API-SERVER IMAGE CONF [key=value ...]
#   jobs/kubernetes/submit.sh https://host:6443 REGISTRY/unroll my.conf run.directory=s3a://bucket/runs/one
#
# CONF is the name of a file of conf/ in the image. NAMESPACE, SERVICE_ACCOUNT, EXECUTORS, EXECUTOR_MEMORY and REPLICA_MIB
# change the rest; a pod's memory beside the heap is 300 MiB and 1.2 x REPLICA_MIB, what training prints that a replica takes.
# Lost pods and tasks are restarted. If the driver is lost, run the same command again: training resumes from the last
# checkpoint.
set -euo pipefail
[ $# -ge 3 ] || { sed -n 's/^#  */usage: /p' "$0" | grep -m 1 jobs/ >&2; exit 2; }
[ -n "${SPARK_HOME:-}" ] || { echo "submit.sh: set SPARK_HOME to your Spark 3.5 (Scala 2.12)." >&2; exit 2; }
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
  --conf spark.executor.memoryOverhead="$((300 + (${REPLICA_MIB:-1700} * 6 + 4) / 5))m" \
  --conf spark.driver.memoryOverhead=1g \
  local:///opt/unroll/unroll.jar train "/opt/unroll/conf/$configuration" "$@"
