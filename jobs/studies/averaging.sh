#!/usr/bin/env bash
# Measures the validation loss after an equal number of tokens, by number of replicas, averaging method and averaging
# interval (docs/studies/averaging.md).
#
#   jobs/studies/averaging.sh TEXT RESULTS [EPOCHS [SEEDS [RUNS]]]
#   jobs/studies/averaging.sh input.txt study.tsv 2                                  all runs, with seeds 1, 2 and 3
#   jobs/studies/averaging.sh input.txt study.tsv 6 "1 2 3" "1:mean:epoch 8:nesterov:16"
#
# RUNS is a list of REPLICAS:METHOD:INTERVAL. When a run ends, the script adds a line to RESULTS: replicas, method,
# interval, lanes, learning rate, outer learning rate, outer momentum, epochs, seed, nats per token, seconds. It skips
# runs that RESULTS already contains, and prints a table at the end. Each run uses one core. As many runs as there are
# cores train at the same time, which does not change the results. Lanes, learning rates and outer steps are the best of
# a few values that were tried with tinyshakespeare.
set -euo pipefail
self=$(readlink -f -- "${BASH_SOURCE[0]}")
home=${self%/*/*/*}
[ $# -ge 2 ] && [ -f "$1" ] || { sed -n 's/^#  */usage: /p' "$0" | grep -m 1 jobs/ >&2; exit 2; }
text=$(realpath "$1") results=$(realpath "$2") epochs=${3:-2} seeds=${4:-1 2 3} runs=${5:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export home results epochs work
touch "$results"
cat > "$work/study.conf" <<END
run.directory = "$work/run"
corpus { path = "$text", prepared = "$work/prepared", validation = 0.1, test = 0 }
training { epochs = $epochs, schedule = cosine }
run.checkpoint.every = 0
END

# Prints lanes, learning rate, outer learning rate and outer momentum.
setting() { # replicas method
  case $2:$1 in
    mean:1) echo 4 0.004 auto auto ;;
    mean:2) echo 4 0.004 auto auto ;;
    mean:4) echo 2 0.005 auto auto ;;
    mean:8) echo 1 0.006 auto auto ;;
    mean:16) echo 1 0.009 auto auto ;;
    bmuf:2) echo 4 0.003 auto auto ;;
    bmuf:4) echo 2 0.003 auto auto ;;
    bmuf:*) echo 1 0.003 auto auto ;;
    nesterov:2) echo 4 0.004 1 0.3 ;;
    nesterov:4) echo 2 0.005 1 0.4 ;;
    nesterov:8) echo 1 0.006 1 0.5 ;;
    nesterov:16) echo 1 0.007 1 0.6 ;;
  esac
}

study() { # seed replicas method interval
  local lanes rate outer momentum key loss start=$SECONDS run=$work/$2-$3-$4-$1
  read -r lanes rate outer momentum < <(setting "$2" "$3")
  key=$(printf '%s\t' "$2" "$3" "$4" "$lanes" "$rate" "$outer" "$momentum" "$epochs" "$1")
  ! grep -qF "$key" "$results" || return 0
  loss=$("$home/jobs/unroll" --master 'local[1]' train "$work/study.conf" --json "run.directory=$run" "run.seed=$1" \
    "cluster.replicas=$2" "training.batch=$lanes" "training.learning-rate=$rate" "cluster.averaging.method=$3" \
    "cluster.averaging.every=$4" "cluster.averaging.learning-rate=$outer" "cluster.averaging.momentum=$momentum" \
    2> "$run.log" | tail -1 | sed 's/.*"validation_loss" *: *\([0-9.]*\).*/\1/') || loss=
  [ -n "$loss" ] || { loss=diverged; tail -1 "$run.log" >&2; }
  printf '%s%s\t%s\n' "$key" "$loss" $((SECONDS - start)) >> "$results"
  rm -rf "$run"
}
export -f setting study

"$home/jobs/unroll" prepare "$work/study.conf" 2> "$work/log" || { tail -1 "$work/log" >&2; exit 1; }
if [ -z "$runs" ]; then
  runs=1:mean:epoch
  for replicas in 8 16 4 2; do
    for every in epoch 256 64 16; do
      for method in mean bmuf nesterov; do
        runs+=" $replicas:$method:$every"
      done
    done
  done
fi
for seed in $seeds; do
  for run in $runs; do
    echo "$seed ${run//:/ }"
  done
done | xargs -P "$(nproc)" -L 1 bash -c 'study "$@"' study

# The mean over the seeds in RESULTS, and in brackets the number of seeds.
awk -F'\t' -v epochs="$epochs" '
  $8 == epochs && $10 != "diverged" { sum[$1, $2, $3] += $10; count[$1, $2, $3]++ }
  $8 == epochs && $10 == "diverged" { bad[$1, $2, $3]++ }
  function cell(r, m, e) {
    if (bad[r, m, e]) return "diverged"
    return count[r, m, e] ? sprintf("%.3f (%d)", sum[r, m, e] / count[r, m, e], count[r, m, e]) : ""
  }
  END {
    print "One replica: " cell(1, "mean", "epoch")
    print "\n| replicas | method | epoch | 256 | 64 | 16 |\n|---|---|---|---|---|---|"
    split("2 4 8 16", replicas, " "); split("mean bmuf nesterov", methods, " ")
    for (i = 1; i <= 4; i++) for (j = 1; j <= 3; j++) {
      r = replicas[i]; m = methods[j]
      printf "| %s | %s | %s | %s | %s | %s |\n", r, m, cell(r, m, "epoch"), cell(r, m, 256), cell(r, m, 64), cell(r, m, 16)
    }
  }' "$results"
