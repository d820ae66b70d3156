#!/usr/bin/env bash
# How well replicas learn together: validation loss at equal tokens, by the number of replicas, the averaging method and
# how often they are averaged.
#
#   jobs/averaging-study.sh TEXT RESULTS [EPOCHS] [SEEDS]      for example: input.txt study.tsv 6 "1 2 3"
#
# Adds a line for each run to RESULTS as it ends (replicas, method, every, lanes, learning rate, epochs, seed, nats per
# token, seconds), leaves out what is there already, and at last prints a table. Sixteen lanes in all, whatever the
# number of replicas; the learning rate is the best of a few that were tried with tinyshakespeare.
set -euo pipefail
home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
[ $# -ge 2 ] || { sed -n 's/^# \{0,1\}//p' "$0" | sed -n '4,5p'; exit 2; }
text=$(realpath "$1") results=$2 epochs=${3:-6} seeds=${4:-1 2 3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
touch "$results"
cat > "$work/study.conf" <<END
run.directory = "$work/run"
corpus { path = "$text", prepared = "$work/prepared", validation = 0.1, test = 0 }
training { epochs = $epochs, schedule = cosine }
run { overwrite = true, checkpoint.every = 0 }
END

learning_rate() { # replicas method
  case $2:$1 in
    mean:1 | mean:2) echo 0.004 ;;
    mean:4) echo 0.006 ;;
    mean:8) echo 0.008 ;;
    mean:16) echo 0.012 ;;
    *) echo 0.004 ;;
  esac
}

study() { # replicas method every seed
  local lanes=$((16 / $1)) rate start key loss
  rate=$(learning_rate "$1" "$2")
  key=$(printf '%s\t' "$1" "$2" "$3" "$lanes" "$rate" "$epochs" "$4")
  ! grep -qF "$key" "$results" || return 0
  start=$SECONDS
  loss=$("$home/jobs/unroll" train "$work/study.conf" --json "run.seed=$4" "cluster.replicas=$1" \
    "training.batch=$lanes" "training.learning-rate=$rate" "cluster.averaging.method=$2" \
    "cluster.averaging.every=$3" 2> "$work/log" | tail -1 | sed 's/.*"validation_loss" *: *\([0-9.]*\).*/\1/') || loss=
  [ -n "$loss" ] || { loss=diverged; tail -1 "$work/log" >&2; }
  printf '%s%s\t%s\n' "$key" "$loss" $((SECONDS - start)) >> "$results"
  rm -rf "$work/run"
}

for seed in $seeds; do
  study 1 mean epoch "$seed"
  for replicas in 8 16 4 2; do
    for every in epoch 256 64 16; do
      for method in mean bmuf nesterov; do
        study "$replicas" "$method" "$every" "$seed"
      done
    done
  done
done

# The mean over the seeds that are there, and how many.
awk -F'\t' -v epochs="$epochs" '
  $6 == epochs && $8 != "diverged" { sum[$1, $2, $3] += $8; count[$1, $2, $3]++ }
  $6 == epochs && $8 == "diverged" { bad[$1, $2, $3]++ }
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
