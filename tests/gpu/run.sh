#!/usr/bin/env bash
# Runs what has a half on a GPU there, beside the formulas and the CPU: tests/gpu/run.sh [real|checked]
#
# Without `real` the GPU is emulated (build.sh): the same launches and kernels, on the host; in f32 it is checked, that is,
# every access of a kernel to memory is looked at (checks.h), in bf16 those of the operations. With `checked` it is so of all
# tests in all kinds of numbers, and nothing else is run. With `real` the GPU is the machine's own, and nvcc compiles the kernels.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Tests of what has a half on a GPU, by the beginnings of their names.
mapfile -t parts < tests/gpu/parts.txt
whole=(device gpus::)

# In numbers as they are named, tests of these names: run NUMBERS NAMES …. One thread: the emulated device is one.
run() {
    WORDMILL_TEST_GPU=$1 cargo test --features cuda --lib -- --include-ignored --test-threads 1 "${@:2}"
}

if [[ ${1-} == real ]]; then
    whole+=(--skip device_without_memory --skip emulated_gpus)
    if (($(nvidia-smi -L | wc -l) < 2)); then
        echo "tests/gpu/run.sh: no tests of several GPUs, for there is one"
        whole+=(--skip gpus::)
    fi
    for numbers in f32 bf16 f16; do run $numbers "${parts[@]}"; done
else
    emulated=$PWD/target/emulated-gpu checked=$PWD/target/checked-gpu libraries=${LD_LIBRARY_PATH-}
    tests/gpu/faulty.sh
    tests/gpu/build.sh "$checked" checked
    tests/gpu/build.sh "$emulated"
    # There are none, but as if for 8.0; and GPUs before that are not refused, so that they can be emulated.
    target=".target sm_80"
    # Written anew it would be compiled in anew.
    [[ $(cat "$emulated/none.ptx" 2> /dev/null) == "$target" ]] || echo "$target" > "$emulated/none.ptx"
    export WORDMILL_KERNELS="$emulated/none.ptx" CUDA_COMPUTE_CAP=70 LD_LIBRARY_PATH="$checked:$libraries"
    run f32 "${parts[@]}"
    if [[ ${1-} == checked ]]; then
        for numbers in bf16 f16; do run $numbers "${parts[@]}"; done
        exit
    fi
    # Tensor cores multiply what has two bytes.
    run bf16 nn::ops::tests nn::ops::conv::tests::windows
    LD_LIBRARY_PATH="$emulated:$libraries"
    run bf16 "${parts[@]}"
    # The last thread and block first: results hang on no order.
    WORDMILL_GPU_ORDER=reverse run f16 "${parts[@]}"
fi
cargo test --features cuda --test wordmill -- --include-ignored "${whole[@]}"
