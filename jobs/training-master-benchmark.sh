#!/usr/bin/env bash
# UnrollTrainingMaster beside Deeplearning4j's ParameterAveragingTrainingMaster, in turns, and then Unroll's own training:
#   jobs/training-master-benchmark.sh TEXT [TURNS [CHUNKS]]
# with CHUNKS of each of the two workers a turn, a multiple of 16. Two cores.
set -euo pipefail
home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
[ $# -ge 1 ] || { echo "usage: $0 TEXT [TURNS [CHUNKS]]" >&2; exit 2; }
text=$(realpath "$1")
shift
run=$(mktemp -d)
trap 'rm -rf "$run"' EXIT
export OMP_NUM_THREADS=1

(cd "$home" && mvn -q -B -Dstyle.color=never package -DskipTests -Ppeers) >&2
command=()
while IFS= read -r -d '' word; do command+=("$word"); done < <(
  SPARK_HOME=$home/target/spark SPARK_SCALA_VERSION=2.12 SPARK_CONF_DIR=$home/conf \
    java -cp "$home/target/spark/jars/*" org.apache.spark.launcher.Main org.apache.spark.deploy.SparkSubmit \
    --master 'local[2]' --driver-memory 3g --conf spark.ui.enabled=false --jars "$home/target/unroll.jar" \
    --class io.unroll.peers.TrainingMasterBenchmark "$home/target/peers/unroll-peers.jar" "$text" "$@")
SPARK_HOME=$home/target/spark SPARK_SCALA_VERSION=2.12 SPARK_CONF_DIR=$home/conf \
  "${command[1]#$'\n'}" "${command[@]:2}"

echo "Unroll's own training, an epoch of the text, an embedding instead of one-hot input:"
"$home/jobs/unroll" --master 'local[2]' train "$home/conf/tinyshakespeare.conf" corpus.path="$text" \
  run.directory="$run" training.epochs=1 training.batch=32 cluster.averaging.every=16 model.dropout=0 2>&1 | tr '\r' '\n' | grep -E 'tokens/s|nats' | tail -4
