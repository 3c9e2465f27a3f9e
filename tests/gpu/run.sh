#!/usr/bin/env bash
# Runs what has a half on a GPU there, beside the formulas and the CPU: tests/gpu/run.sh [real|checked]
#
# Without `real` the GPU is emulated (build.sh): the same launches and kernels, on the host; in f32 it is checked, that is,
# every access of a kernel to memory is looked at (checks.h). With `checked` it is so in all kinds of numbers, and nothing else
# is run. With `real` the GPU is the machine's own, and nvcc compiles the kernels.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Tests of what has a half on a GPU, by the beginnings of their names.
mapfile -t parts < tests/gpu/parts.txt
whole=(device gpus::)

# With numbers as they are named. One thread: the emulated device is one.
run_parts() {
    WORDMILL_TEST_GPU=$1 cargo test --features cuda --lib -- --include-ignored --test-threads 1 "${parts[@]}"
}

if [[ ${1-} == real ]]; then
    whole+=(--skip device_without_memory --skip emulated_gpus)
    if (($(nvidia-smi -L | wc -l) < 2)); then
        echo "tests/gpu/run.sh: no tests of several GPUs, for there is one"
        whole+=(--skip gpus::)
    fi
    for numbers in f32 bf16 f16; do run_parts $numbers; done
else
    emulated=$PWD/target/emulated-gpu checked=$PWD/target/checked-gpu libraries=${LD_LIBRARY_PATH-}
    tests/gpu/faulty.sh
    tests/gpu/build.sh "$checked" checked
    tests/gpu/build.sh "$emulated"
    : > "$emulated/none.ptx"
    export WORDMILL_KERNELS="$emulated/none.ptx" LD_LIBRARY_PATH="$checked:$libraries"
    run_parts f32
    if [[ ${1-} == checked ]]; then
        for numbers in bf16 f16; do run_parts $numbers; done
        exit
    fi
    LD_LIBRARY_PATH="$emulated:$libraries"
    run_parts bf16
    # The last thread and block first: results hang on no order.
    WORDMILL_GPU_ORDER=reverse run_parts f16
fi
cargo test --features cuda --test wordmill -- --include-ignored "${whole[@]}"
