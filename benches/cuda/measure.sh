#!/usr/bin/env bash
# Tests and measures on a machine with a GPU: measure.sh FOLDER PEERS WORK OUT
#
# FOLDER is what build.sh left, PEERS has nmt_ref.py and gan_ref.py, WORK is the folder that `nmt_ref.py prep` filled. With a
# run of its tiny Transformer in WORK/run (`peers/translate.py`) and its weights in WORK, decoding is measured, too. MULTI30K
# names that data, as `prep` had it. Each stage writes a file to
# OUT; one that is there is not run again, so that what was cut off goes on. On a machine without a GPU WORDMILL_DEVICE and
# REFERENCE name others: REFERENCE="--device cpu" rehearses. SECONDS_EACH bounds a stage (120).
set -uo pipefail
folder=$1 nmt_ref=$2/nmt_ref.py gan_ref=$2/gan_ref.py work=$3 out=$4
mkdir -p "$out"
reference="${REFERENCE---device cuda --amp}"
data=(--data "${MULTI30K-data/multi30k}" --work "$work")
export WORDMILL_IDS=$work/data.json WORDMILL_DEVICE=${WORDMILL_DEVICE-cuda}

stage() {
    local file=$out/$1.txt
    shift
    [[ -e $file ]] && return
    echo "$*" > "$file.part"
    if timeout "${SECONDS_EACH-120}" "$@" >> "$file.part" 2>&1; then
        mv "$file.part" "$file"
    else
        echo "failed: $?" >> "$file.part"
    fi
    tail -n 3 "$file" "$file.part" 2> /dev/null
}

stage gpu nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv
mapfile -t parts < "$folder/parts.txt"
for numbers in f32 bf16 f16; do
    stage "tests-$numbers" env WORDMILL_TEST_GPU=$numbers "$folder/tests" --include-ignored --test-threads 1 "${parts[@]}"
done
for round in 1 2; do
    stage "tiny-$round" env WORDMILL_BATCH_TOKENS=8192 "$folder/steps" tiny 2 200
    stage "tiny-torch-$round" python3 "$nmt_ref" bench "${data[@]}" --model tiny --max-tokens 8192 --steps 60 --bench-warm 10 $reference
    stage "base-$round" env WORDMILL_BATCH_TOKENS=16384 "$folder/steps" base 2 60
    stage "base-torch-$round" python3 "$nmt_ref" bench "${data[@]}" --model base --max-tokens 16384 --steps 30 --bench-warm 5 $reference
    stage "lstm2-$round" env WORDMILL_BATCH_TOKENS=8192 "$folder/steps" lstm2 2 60
    stage "dcgan32-$round" "$folder/gan" dcgan32 ns 10 256
    stage "dcgan32-torch-$round" python3 "$gan_ref" bench --arch dcgan32 --loss ns --batch 256 --secs 10 ${reference/ --amp/}
    stage "lstm2-torch-$round" python3 "$nmt_ref" bench "${data[@]}" --model lstm2 --max-tokens 8192 --steps 30 --bench-warm 5 $reference
done
if [[ -d $work/run ]]; then
    export WORDMILL_RUN=$work/run
    for sentences in 64 256 1000; do
        stage "greedy-$sentences" bash -c '"$0" 1 1 $1 > /dev/null' "$folder/decode" $sentences
        stage "beam5-$sentences" bash -c '"$0" 5 1 $1 > /dev/null' "$folder/decode" $sentences
    done
    stage decode-torch python3 "$nmt_ref" test "${data[@]}" --model tiny $reference
    if python3 -c "import ctranslate2" 2> /dev/null; then
        for sentences in 64 256 1000; do
            stage "decode-ctranslate2-$sentences" python3 "$nmt_ref" ct2 "${data[@]}" --model tiny --dec-batch $sentences \
                --compute "${COMPUTE-float16}" ${reference/ --amp/}
        done
    fi
fi
# The products' ceiling, and PyTorch compiled, which takes its time.
[[ $reference != *cuda* ]] || stage ceiling python3 - << 'END'
import time, torch
a, b = (torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16) for _ in range(2))
for _ in range(3):
    a @ b
torch.cuda.synchronize()
start = time.perf_counter()
for _ in range(20):
    a @ b
torch.cuda.synchronize()
print(f"{20 * 2 * 8192**3 / (time.perf_counter() - start) / 1e12:.0f} TFLOP/s of bf16 products of 8192")
END
for model in "tiny 8192" "base 16384"; do
    read -r name tokens <<< "$model"
    SECONDS_EACH=${SECONDS_COMPILED-300} stage "$name-torch-compiled" python3 "$nmt_ref" bench "${data[@]}" --model "$name" \
        --max-tokens "$tokens" --steps 30 --bench-warm 20 --seconds 600 $reference --compile
done
# What the checked GPU looks for without one (tests/gpu/checks.h), in what nvcc has made of the operations' kernels. In bf16,
# which has most of them.
if command -v compute-sanitizer > /dev/null; then
    for tool in memcheck racecheck synccheck; do
        SECONDS_EACH=${SECONDS_CHECKED-300} stage "$tool" env WORDMILL_TEST_GPU=bf16 compute-sanitizer --tool $tool \
            --error-exitcode 1 "$folder/tests" --include-ignored --test-threads 1 nn::ops::tests nn::ops::conv::tests::windows
    done
fi
