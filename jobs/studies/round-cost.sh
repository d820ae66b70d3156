#!/usr/bin/env bash
# Measures the overhead of a round (docs/studies/round-cost.md): seconds and bytes of each phase, by number of
# parameters and of replicas. The numbers come from the metrics of runs with very short rounds.
#
#   jobs/studies/round-cost.sh TEXT ["HIDDEN ..."] ["REPLICAS ..."] [MASTER]
#
# TEXT must have at least 1,000 bytes. Hidden sizes of 245, 785 and 1765 are about 1, 10 and 50 million parameters.
# Prints medians of rounds 2 to 5.
set -euo pipefail
self=$(readlink -f -- "${BASH_SOURCE[0]}")
home=${self%/*/*/*}
[ $# -ge 1 ] && [ -f "$1" ] || { sed -n 's/^#  */usage: /p' "$0" | grep -m 1 jobs/ >&2; exit 2; }
text=$(realpath "$1") sizes=${2:-245 785 1765} counts=${3:-2 8 32} master=${4:-local-cluster[2,1,6144]}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Prints the metric of rounds 2 to 5, one value per line.
values() { # name group
  sed -n 2,5p "$work/run/metrics.jsonl" | grep -o "\"$2\":{[^}]*}" | grep -o "\"$1\":[0-9.E-]*" | cut -d: -f2
}

# Prints the median time.
seconds() { # phase
  values "$1" seconds | sort -g | awk '{ v[NR] = $1 } END { printf "%.2f", (v[2] + v[3]) / 2 }'
}

# Prints the bytes of round 2 in MB.
megabytes() { # phase
  values "$1" bytes | awk 'NR == 1 { printf "%.0f", $1 / 1e6 }'
}

echo "| parameters | replicas | broadcast s | average s | checkpoint s | broadcast MB | shuffle MB | to the driver MB |"
echo "|---|---|---|---|---|---|---|---|"
for hidden in $sizes; do
  for replicas in $counts; do
    head -c $((replicas * 8 + 1)) "$text" > "$work/text"
    cat > "$work/conf" <<END
run.directory = "$work/run"
corpus { path = "$work/text", validation = 0, test = 0 }
model.hidden = $hidden
training { epochs = 5, batch = 1, tbptt = 4 }
cluster.replicas = $replicas
END
    # spark-submit ignores --executor-memory if the master is local-cluster.
    "$home/jobs/unroll" --master "$master" --conf spark.executor.memory=6g --driver-memory 6g train "$work/conf" \
      > "$work/out" 2> "$work/log" || { tail -3 "$work/log" >&2; exit 1; }
    parameters=$(sed -n 's/^network: \([0-9,]*\) parameters.*/\1/p' "$work/log")
    echo "| $parameters | $replicas | $(seconds broadcast) | $(seconds average) | $(seconds checkpoint) |" \
      "$(megabytes broadcast) | $(megabytes shuffle) | $(megabytes collect) |"
    rm -rf "$work/run"
  done
done
