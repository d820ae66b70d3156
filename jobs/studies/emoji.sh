#!/usr/bin/env bash
# Trains a captioning model and compares its captions with the references (docs/studies/emoji.md). A tenth of the
# images, by a hash of their names, is the test part. For the first 30 test images the script shows the generated
# caption, the reference, and the training caption that is nearest to the generated one. If the generated caption is
# identical to a training caption, the model may have memorized it.
#
#   jobs/studies/emoji.sh CAPTIONS IMAGES RESULTS [key=value ...]
#   jobs/studies/emoji.sh emoji/captions.csv emoji/png emoji-study model.hidden=256
#
# CAPTIONS is a CSV file whose first columns are image and caption. IMAGES is the folder of the images. The script
# writes to the folder RESULTS: the split, the run, evaluation.json, captions.md, and captions.png with the images and
# captions.
set -euo pipefail
self=$(readlink -f -- "${BASH_SOURCE[0]}")
home=${self%/*/*/*}
[ $# -ge 3 ] && [ -f "$1" ] && [ -d "$2" ] || { sed -n 's/^#  */usage: /p' "$0" | grep -m 1 jobs/ >&2; exit 2; }
mkdir -p "$3"
captions=$(realpath "$1") images=$(realpath "$2") results=$(realpath "$3") settings=("${@:4}")
java=${JAVA_HOME:+$JAVA_HOME/bin/}java

head -1 "$captions" | tee "$results/training.csv" > "$results/test.csv"
tail -n +2 "$captions" | while IFS= read -r row || [ -n "$row" ]; do
  hash=$(printf '%s' "${row%%,*}" | sha256sum)
  if [ $((16#${hash:0:8} % 10)) = 0 ]; then part=test; else part=training; fi
  printf '%s\n' "$row" >> "$results/$part.csv"
done

cat > "$results/study.conf" <<END
run.directory = "$results/run"
task = captioning
corpus { path = "$results/training.csv", images = "$images", tokenizer = word, validation = 0.11, test = 0 }
model { layers = 1, dropout = 0.3 }
training { epochs = 40, batch = 16, learning-rate = 0.001, schedule = cosine }
cluster.replicas = 1
END
"$home/jobs/unroll" train "$results/study.conf" "${settings[@]}"
for beam in 1 3; do
  "$home/jobs/unroll" evaluate "$results/run" "$results/test.csv" --beam $beam --json | tail -1
done | tee "$results/evaluation.json"

mapfile -t shown < <(sed -n '2,31s/,.*//p' "$results/test.csv")
"$home/jobs/unroll" generate "$results/run" --beam 3 --image "${shown[@]/#/$images/}" > "$results/answers.txt"
"$java" -Djava.awt.headless=true -cp "$home/target/spark/jars/*" "$home/jobs/studies/CaptionSheet.java" "$results/training.csv" \
  "$results/test.csv" "$images" "$results/answers.txt" "$results/captions.png" | tee "$results/captions.md"
