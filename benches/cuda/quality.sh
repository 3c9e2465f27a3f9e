#!/usr/bin/env bash
# What is learned on a GPU, and in how many minutes: quality.sh WORDMILL DATA OUT
#
# DATA has the folders multi30k, tatoeba_en_fr and fashion-mnist. Each run has a folder in OUT and goes on where it was cut off;
# SECONDS_EACH (600) bounds it this time, and whoever calls again gives it more. Memory of the GPU is written down every ten
# seconds (OUT/NAME.memory). PRICE, that of an hour of the machine, gives the cost. WORDMILL_DEVICE=cpu and SHARE=400, of so many
# steps one, rehearse.
set -euo pipefail
wordmill=$1 data=$2 out=$3
share=${SHARE-1}
device=(--device "${WORDMILL_DEVICE-cuda}")
mkdir -p "$out"

# Trains until the run has so many steps: learn NAME STEPS COMMAND …
learn() {
    local name=$1 steps=$(($2 / share)) watch=
    shift 2
    if command -v nvidia-smi > /dev/null; then
        nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits --loop 10 >> "$out/$name.memory" &
        watch=$!
    fi
    timeout --signal TERM "${SECONDS_EACH-600}" "$wordmill" "$@" --max-steps "$steps" --out "$out/$name" --resume \
        "${device[@]}" >> "$out/$name.log" 2>&1 || echo "$name: ended with status $?"
    [[ -z $watch ]] || kill "$watch" 2> /dev/null || true
    python3 - "$out/$name" "${PRICE-}" << 'END'
import json, os, sys
run, price = sys.argv[1:]
events = [json.loads(line) for line in open(f"{run}/log.jsonl")]
reports = [event for event in events if event["event"] == "report"]
best = [event for event in events if event.get("is_best")][-1:]
minutes = reports[-1]["seconds"] / 60
print(os.path.basename(run), "steps", reports[-1]["step"], f"minutes {minutes:.1f}", end="")
if price:
    print(f" cost {minutes / 60 * float(price):.2f}", end="")
for event in best:
    print(f" best at step {event['step']} after {event['seconds'] / 60:.1f} minutes", end="")
    print("".join(f" {key} {event[key]:.2f}" for key in ("frechet", "loss") if key in event), end="")
print()
memory = f"{run}.memory"
if os.path.exists(memory):
    used = [int(line) for line in open(memory) if line.strip().isdigit()]
    if used:
        print(f"  MB on the GPU: {used[len(used) // 10]} after a tenth of the time, {used[-1]} at the end, {max(used)} at most")
END
}

# Translates the test set by the mean of the last checkpoints and scores it: score NAME SOURCE REFERENCE
score() {
    for beam in 1 5; do
        "$wordmill" transformer translate "$out/$1" "$2" --checkpoint mean --beam $beam "${device[@]}" > "$out/$1.beam$beam"
        echo "$1, beam $beam:"
        "$wordmill" bleu "$out/$1.beam$beam" --ref "$3" --metrics bleu,chrf
        "$wordmill" bleu "$out/$1.beam$beam" --ref "$3" --metrics bleu --lower
    done
}

for pair in "multi30k de test_2016_flickr 8000 0.3" "tatoeba_en_fr fr test 20000 0.2"; do
    read -r name target test steps dropout <<< "$pair"
    from=$data/$name
    learn "$name" "$steps" transformer train --preset tiny --batch-tokens 8192 --dropout "$dropout" --patience 0 --keep 10 \
        --valid-every $((steps / share / 16 + 1)) --save-every $((steps / share / 32 + 1)) --log-every $((50 / share + 1)) \
        --source "$from/train.en.gz" --target "$from/train.$target.gz" --valid "$from/val.en" "$from/val.$target"
    score "$name" "$from/$test.en" "$from/$test.$target"
done
learn fashion-mnist 40000 gan train "$data/fashion-mnist" --size 32 --enlarge --batch-size 256 \
    --eval-every $((1000 / share + 1)) --log-every $((100 / share + 1))
