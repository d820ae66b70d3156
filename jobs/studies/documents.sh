#!/usr/bin/env bash
# Compares a language model of documents with the same model of one stream of them (docs/studies/documents.md).
#
#   jobs/studies/documents.sh FOLDER RESULTS
#   jobs/studies/documents.sh practical-pytorch/data/names documents.tsv
#
# FOLDER has text files with one document per line. The script shuffles the lines and holds out a tenth of them, trains a
# model of each kind with three seeds, and evaluates it on the held-out lines. It adds a line to RESULTS for each:
# corpus.documents, seed, nats per token of the last training round and of the held-out lines, seconds.
set -euo pipefail
self=$(readlink -f -- "${BASH_SOURCE[0]}")
home=${self%/*/*/*}
[ $# -eq 2 ] && [ -d "$1" ] || { sed -n 's/^#  */usage: /p' "$0" | grep -m 1 jobs/ >&2; exit 2; }
results=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat "$1"/*.txt | tr -d '\r' | sed 's/^ *//; s/ *$//; /^$/d' | shuf --random-source=<(yes) > "$work/all"
test=$(($(wc -l < "$work/all") / 10))
head -n "$test" "$work/all" > "$work/test.txt"
tail -n "+$((test + 1))" "$work/all" > "$work/train.txt"
cat > "$work/study.conf" <<END
corpus { path = "$work/train.txt", format = lines, prepared = "$work/prepared", validation = 0.05, test = 0 }
model { layers = 1, hidden = 64 }
training { epochs = 10, tbptt = 32, learning-rate = 0.003, schedule = linear }
cluster.replicas = 1
END

# Prints the number with this name in the JSON on stdin.
value() { # name
  sed -n 's/.*"'"$1"'" *: *\([-0-9.eE]*\).*/\1/p'
}

study() { # documents batch seed
  local start=$SECONDS trained test
  trained=$("$home/jobs/unroll" --master 'local[1]' train "$work/study.conf" --json "run.directory=$work/$1-$3" \
    "run.seed=$3" "corpus.documents=$1" "training.batch=$2" 2> "$work/log" | tail -1) || { tail -1 "$work/log" >&2; exit 1; }
  test=$("$home/jobs/unroll" --master 'local[1]' evaluate "$work/$1-$3" "$work/test.txt" --json 2> "$work/log" |
    value cross_entropy)
  printf '%s\t%s\t%.4f\t%.4f\t%s\n' "$1" "$3" "$(value training_loss <<< "$trained")" "$test" $((SECONDS - start)) >> "$results"
}

for seed in 1 2 3; do
  # About as many tokens in a batch: 8 lanes x 32 steps, or 32 documents of 8 tokens.
  study stream 8 "$seed"
  study reset 32 "$seed"
done
sort "$results"
