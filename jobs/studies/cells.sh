#!/usr/bin/env bash
# Measures the test loss of RNN, LSTM and GRU networks with 1, 2 and 3 layers of the same hidden size on one text
# (docs/studies/cells.md). The protocol is that of Karpathy, Johnson & Fei-Fei (2015): chunks of 100 lanes x 100 steps;
# Adam with a learning rate of 2e-3, multiplied by 0.95 each epoch after the tenth; at most 50 epochs. Training stops
# after 3 epochs without a better validation loss and keeps the best model.
#
#   jobs/studies/cells.sh TEXT RESULTS [HIDDEN [key=value ...]]
#   jobs/studies/cells.sh input.txt cells.tsv "64 128" model.dropout=0.1
#
# When a run ends, the script adds a line to RESULTS: cell, layers, hidden, settings, parameters, epochs, nats per token
# (last training round, validation, test), tokens/s, seconds. It skips runs that RESULTS already contains, prints a
# table and draws RESULTS.svg. As many runs as there are cores train at the same time. If the environment variable RUNS
# is set, the models are kept in that folder. If a run fails, the other runs continue, and the exit status is 1.
set -euo pipefail
self=$(readlink -f -- "${BASH_SOURCE[0]}")
home=${self%/*/*/*}
[ $# -ge 2 ] && [ -f "$1" ] || { sed -n 's/^#  */usage: /p' "$0" | grep -m 1 jobs/ >&2; exit 2; }
text=$(realpath "$1") results=$(realpath "$2") sizes=${3:-128} settings=${*:4}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
runs=${RUNS:-$work}
export home results settings work runs
touch "$results"
cat > "$work/study.conf" <<END
run.directory = "$work/run"
corpus { path = "$text", prepared = "$work/prepared", validation = 0.1, test = 0.1 }
training {
  epochs = 50, batch = 100, tbptt = 100, learning-rate = 0.002, schedule = step, decay = 0.95, decay-after = 10
  early-stopping = 3
}
cluster.replicas = 1
END

# Prints the number with this name in the JSON on stdin.
value() { # name
  sed -n 's/.*"'"$1"'" *: *\([-0-9.eE]*\).*/\1/p'
}

study() { # cell layers hidden
  local key trained test run=$runs/$1-$2-$3 start=$SECONDS
  key=$(printf '%s\t' "$1" "$2" "$3" "${settings:--}")
  ! grep -qF "$key" "$results" || return 0
  trained=$("$home/jobs/unroll" --master 'local[1]' train "$work/study.conf" --json "run.directory=$run" "model.cell=$1" \
    "model.layers=$2" "model.hidden=$3" $settings 2> "$work/$1-$2-$3.log" | tail -1) || trained=
  test=$([ -z "$trained" ] ||
    "$home/jobs/unroll" --master 'local[1]' evaluate "$run" --part test --json 2> "$work/$1-$2-$3.log" | value cross_entropy)
  [ -n "$test" ] || { echo "$1 $2 $3: $(tail -1 "$work/$1-$2-$3.log")" >&2; return 1; }
  printf '%s%s\t%s\t%s\t%s\t%s\t%.0f\t%s\n' "$key" "$(value parameters < "$run/model/manifest.json")" \
    "$(value epochs <<< "$trained")" "$(value training_loss <<< "$trained")" "$(value validation_loss <<< "$trained")" \
    "$test" "$(value tokens_per_second < "$run/metrics.jsonl" | sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }')" \
    $((SECONDS - start)) >> "$results"
}
export -f value study

"$home/jobs/unroll" prepare "$work/study.conf" > /dev/null 2> "$work/log" || { tail -1 "$work/log" >&2; exit 1; }
for hidden in $sizes; do
  for layers in 3 2 1; do
    for cell in lstm gru rnn; do
      echo "$cell $layers $hidden"
    done
  done
done | xargs -P "$(nproc)" -L 1 bash -c 'study "$@"' study || failed=1

sort -t $'\t' -k3,3n -k1,1 -k2,2n "$results" | awk -F'\t' -v settings="${settings:--}" -v svg="$results.svg" '
  $4 == settings {
    n++; cell[n] = $1; layers[n] = $2; hidden[n] = $3; size[n] = log($5) / log(10); loss[n] = $9
    if (n == 1 || size[n] < left) left = size[n]
    if (n == 1 || size[n] > right) right = size[n]
    if (n == 1 || loss[n] < low) low = loss[n]
    if (n == 1 || loss[n] > high) high = loss[n]
    row[n] = sprintf("| %s | %s | %s | %d | %s | %.4f | %.4f | %d | %d |", $3, $1, $2, $5, $6, $8, $9, $10, $11)
  }
  function x(v) { return 60 + 420 * (v - left) / (right - left + 1e-9) }
  function y(v) { return 280 - 250 * (v - low) / (high - low + 1e-9) }
  function text(at, down, anchor, what) {
    printf "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"%s\">%s</text>\n", at, down, anchor, what > svg
  }
  END {
    print "| hidden | cell | layers | parameters | epochs | validation | test | tokens/s | seconds |\n|---|---|---|---|---|---|---|---|---|"
    for (i = 1; i <= n; i++) print row[i]
    split("rnn lstm gru", cells, " "); color["rnn"] = "#d9480f"; color["lstm"] = "#1f6feb"; color["gru"] = "#2b8a3e"
    print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 520 350\" font-family=\"sans-serif\" font-size=\"12\">" > svg
    print "<rect width=\"520\" height=\"350\" fill=\"white\"/>" > svg
    for (i = 0; i <= 4; i++) {
      v = low + (high - low) * i / 4
      printf "<path d=\"M60,%.0fH480\" stroke=\"#ddd\"/>\n", y(v) > svg
      text(54, y(v) + 4, "end", sprintf("%.2f", v))
      v = left + (right - left) * i / 4
      text(x(v), 298, "middle", sprintf("%.0fk", 10 ^ v / 1000))
    }
    text(270, 316, "middle", "parameters"); text(60, 16, "start", "test cross-entropy, nats per token; points are 1, 2 and 3 layers")
    for (c = 1; c <= 3; c++) {
      before = ""
      for (i = 1; i <= n; i++) if (cell[i] == cells[c]) {
        path = before == hidden[i] ? path "L" : path "M"; before = hidden[i]
        path = path sprintf("%.1f,%.1f", x(size[i]), y(loss[i]))
        printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"/>\n", x(size[i]), y(loss[i]), color[cells[c]] > svg
      }
      printf "<path d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>\n", path, color[cells[c]] > svg
      printf "<path d=\"M%d,334h24\" stroke=\"%s\" stroke-width=\"3\"/>\n", 60 + 90 * c, color[cells[c]] > svg
      text(90 + 90 * c, 338, "start", cells[c]); path = ""
    }
    print "</svg>" > svg
  }'
exit "${failed:-0}"
