#!/usr/bin/env bash
# Runs what has a half on a GPU there, beside the formulas and the CPU: tests/gpu/run.sh [real]
#
# Without `real` the GPU is emulated (build.sh): the same launches and kernels, on the host. With it the GPU is the
# machine's own, and nvcc compiles the kernels.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Tests of what has a half on a GPU, by the beginnings of their names.
mapfile -t parts < tests/gpu/parts.txt
whole=(device gpus::)
if [[ ${1-} != real ]]; then
    folder=$PWD/target/emulated-gpu
    tests/gpu/build.sh "$folder"
    : > "$folder/none.ptx"
    export WORDMILL_KERNELS="$folder/none.ptx" LD_LIBRARY_PATH="$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
else
    whole+=(--skip device_without_memory --skip emulated_gpus)
    if (($(nvidia-smi -L | wc -l) < 2)); then
        echo "tests/gpu/run.sh: no tests of several GPUs, for there is one"
        whole+=(--skip gpus::)
    fi
fi
for numbers in f32 bf16 f16; do
    # One thread: the emulated device is one.
    WORDMILL_TEST_GPU=$numbers cargo test --features cuda --lib -- --include-ignored --test-threads 1 "${parts[@]}"
done
cargo test --features cuda --test wordmill -- --include-ignored "${whole[@]}"
