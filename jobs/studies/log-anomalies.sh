#!/usr/bin/env bash
# Compares detectors of anomalous log sessions (docs/studies/log-anomalies.md).
#
#   jobs/studies/log-anomalies.sh FOLDER RESULTS [DATA] [SEED...]
#   jobs/studies/log-anomalies.sh logs log-anomalies.tsv openstack
#
# FOLDER has DATA_train, DATA_test_normal and DATA_test_abnormal for each DATA (default: openstack and hadoop), with one
# session per line: "id,event event ...". For each SEED (default: 1 to 5), the script trains a model on DATA_train
# (split published) and on 20 % of the normal sessions (split 20 %), scores the other sessions, and applies detectors
# without a network to the same sessions. It adds lines to RESULTS: data, split, seed, detector, precision, recall, F1.
set -euo pipefail
self=$(readlink -f -- "${BASH_SOURCE[0]}")
home=${self%/*/*/*}
[ $# -ge 2 ] && [ -d "$1" ] || { sed -n 's/^#  */usage: /p' "$0" | grep -m 1 jobs/ >&2; exit 2; }
logs=$(realpath "$1")
results=$(realpath "$2")
sets=${3:-openstack hadoop}
shift $(($# < 3 ? $# : 3))
seeds=${*:-1 2 3 4 5}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/study.conf" <<END
corpus { tokenizer = word, documents = reset, columns.text = text, test = 0 }
model { layers = 2, hidden = 64, embedding = 32 }
training { batch = 8, tbptt = 64, learning-rate = 0.01, schedule = linear }
cluster.replicas = 1
END

# Prints the lines in a random order.
shuffled() { # seed file
  shuf --random-source=<(openssl enc -aes-256-ctr -pbkdf2 -pass "pass:$1" -nosalt < /dev/zero 2> /dev/null) "$2"
}

# Writes train.csv and test.csv.
split() { # data split seed
  local all train=0
  if [ "$2" = "20 %" ]; then
    all=$(cat "$logs/$1_train" "$logs/$1_test_normal" | wc -l)
    train=$((all / 5 - $(wc -l < "$logs/$1_train")))
  fi
  shuffled "$3" "$logs/$1_test_normal" > "$work/normal"
  { echo id,text,label; { cat "$logs/$1_train"; head -n "$train" "$work/normal"; } |
    sed 's/$/,normal/'; } > "$work/train.csv"
  { echo id,text,label; tail -n "+$((train + 1))" "$work/normal" | sed 's/$/,normal/'
    sed 's/$/,anomaly/' "$logs/$1_test_abnormal"; } > "$work/test.csv"
}

# Prints the results of detectors that know what occurs in train.csv: a session with anything else is an anomaly.
detectors() {
  awk -F, '
    function count(name, alarm) { alarms[name, label] += alarm }
    function grams(n, store,   i, j, gram, unseen) {
      for (i = 1; i <= size + n - 1; i++) {
        gram = n
        for (j = i - n + 1; j <= i; j++) gram = gram " " (j < 1 ? "^" : j > size ? "$" : events[j])
        if (store) seen[gram]; else if (!(gram in seen)) unseen = 1
      }
      return unseen + 0
    }
    FNR == 1 { next }
    { size = split($2, events, " "); delete times; for (i = 1; i <= size; i++) times[events[i]]++ }
    NR == FNR {
      sessions[$2]; trained++
      for (n = 1; n <= 3; n++) grams(n, 1)
      for (event in times) {
        if (!(event in high) || times[event] > high[event]) high[event] = times[event]
        if (!(event in low) || times[event] < low[event]) low[event] = times[event]
        with[event]++
      }
      next
    }
    {
      label = $3; all[label]++; known = $2 in sessions; copies[label] += known; outside = 0
      for (event in times) if (times[event] > high[event] + 0) outside = 1
      for (event in high) if (times[event] + 0 < (with[event] == trained ? low[event] : 0)) outside = 1
      count("all sessions", 1); count("unseen session", !known); count("event counts", outside)
      count("unseen event", grams(1, 0)); count("unseen 2-gram", grams(2, 0)); count("unseen 3-gram", grams(3, 0))
    }
    END {
      split("all sessions,unseen session,unseen event,unseen 2-gram,unseen 3-gram,event counts", names, ",")
      for (i = 1; i <= 6; i++) {
        hits = alarms[names[i], "anomaly"]; both = hits + alarms[names[i], "normal"]
        printf "%s\t%.4f\t%.4f\t%.4f\n", names[i], both ? hits / both : 0, hits / all["anomaly"],
          2 * hits / (both + all["anomaly"])
      }
      printf "copies: sessions, share of the normal and of the anomalous test sessions\t%d\t%.4f\t%.4f\n", trained,
        copies["normal"] / all["normal"], copies["anomaly"] / all["anomaly"]
    }' "$work/train.csv" "$work/test.csv"
}

# Prints the results of a model.
model() { # epochs validation seed
  rm -rf "$work/run"
  "$home/jobs/unroll" --master 'local[1]' train "$work/study.conf" "corpus.path=$work/train.csv" "run.seed=$3" \
    "training.epochs=$1" "corpus.validation=$2" "run.directory=$work/run" > "$work/log" 2>&1 ||
    { tail -1 "$work/log" >&2; exit 1; }
  "$home/jobs/unroll" --master 'local[1]' score "$work/run" "$work/test.csv" --top-g 9 --json --out "$work/scores" \
    --mode overwrite 2> "$work/log" > "$work/json" || { tail -1 "$work/log" >&2; exit 1; }
  tail -1 "$work/json" | grep -o '{"by":"[^}]*}' | grep -v chosen |
    sed -E 's/.*"by":"([^"]*)".*"precision":([^,]*),"recall":([^,]*),"f1":([^,}]*)}/\1\t\2\t\3\t\4/' |
    awk -F'\t' -v OFS='\t' '{ printf "%s\t%.4f\t%.4f\t%.4f\n", $1, $2, $3, $4 }'
}

study() { # data split seed epochs validation
  split "$1" "$2" "$3"
  { detectors; model "$4" "$5" "$3"; } | sed "s/^/$1\t$2\t$3\t/" >> "$results"
}

# The epochs were chosen by the validation loss of one seed.
for seed in $seeds; do
  for data in $sets; do
    case $data in
      hadoop) few=80 many=60 ;;
      *) few=30 many=15 ;;
    esac
    study "$data" "20 %" "$seed" "$many" 0.2
    study "$data" published "$seed" "$few" 0
  done
done
