#!/usr/bin/env bash
# Runs a benchmark of src/peers on the embedded Spark: jobs/benchmark.sh MASTER BENCHMARK [ARGUMENT ...]
#
#   jobs/benchmark.sh 'local[1]' PrepareBenchmark /data/books 3          preparing beside spark.read.text(...).count()
#   jobs/benchmark.sh 'local[2]' TrainingMasterBenchmark input.txt 6     UnrollTrainingMaster beside Deeplearning4j's own
set -euo pipefail
home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
[ $# -ge 2 ] || { echo "usage: jobs/benchmark.sh MASTER BENCHMARK [ARGUMENT ...]" >&2; sed -n 's/^#   //p' "$0" >&2; exit 2; }
master=$1 benchmark=$2
shift 2
export SPARK_HOME=$home/target/spark SPARK_SCALA_VERSION=2.12 SPARK_CONF_DIR=$home/conf OMP_NUM_THREADS=1

(cd "$home" && mvn -q -B -Dstyle.color=never package -DskipTests -Ppeers) >&2
command=()
while IFS= read -r -d '' word; do command+=("$word"); done < <(
  java -cp "$home/target/spark/jars/*" org.apache.spark.launcher.Main org.apache.spark.deploy.SparkSubmit \
    --master "$master" --driver-memory "${DRIVER_MEMORY:-3g}" --executor-memory "${EXECUTOR_MEMORY:-2g}" \
    --conf spark.ui.enabled=false --jars "$home/target/unroll.jar" \
    --class "io.unroll.peers.$benchmark" "$home/target/peers/unroll-peers.jar" "$@")
exec "${command[1]#$'\n'}" "${command[@]:2}"
