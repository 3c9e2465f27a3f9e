#!/usr/bin/env bash
# Runs what has a half on a GPU there, beside the formulas and the CPU: tests/gpu/run.sh [real|checked]
#
# Without `real` the GPU is emulated (build.sh): the same launches and kernels, on the host; in f32 it is checked, that is,
# every access of a kernel to memory is looked at (checks.h), in bf16 those of the operations. With `checked` it is so of all
# tests in all kinds of numbers, and nothing else is run. With `real` the GPU is the machine's own, and nvcc compiles the kernels.
# FEATURES are those of the build (cuda).
set -euo pipefail
cd "$(dirname "$0")/../.."

# Tests of what has a half on a GPU, by the beginnings of their names.
mapfile -t parts < tests/gpu/parts.txt
whole=(device gpus::)

built=(--features "${FEATURES-cuda}")

# In numbers as they are named, tests of these names: run NUMBERS NAMES …. One thread: the emulated device is one.
run() {
    WORDMILL_TEST_GPU=$1 cargo test "${built[@]}" --lib -- --include-ignored --test-threads 1 "${@:2}"
}

if [[ ${1-} == real ]]; then
    whole+=(--skip device_without_memory --skip emulated_gpus)
    if (($(nvidia-smi -L | wc -l) < 2)); then
        echo "tests/gpu/run.sh: no tests of several GPUs, for there is one"
        whole+=(--skip gpus::)
    fi
    for numbers in f32 bf16 f16; do run $numbers "${parts[@]}"; done
elif [[ $(ulimit -v) != unlimited || $(cat /proc/sys/vm/overcommit_memory) == 2 ]]; then
    echo "tests/gpu/run.sh: skipped, for the emulated GPU reserves more addresses than are given here (ulimit -v, vm.overcommit_memory)"
    exit
else
    emulated=$PWD/target/emulated-gpu checked=$PWD/target/checked-gpu libraries=${LD_LIBRARY_PATH-}
    tests/gpu/faulty.sh
    tests/gpu/build.sh "$checked" checked &
    tests/gpu/build.sh "$emulated"
    wait $!
    . tests/gpu/without_nvcc.sh
    export LD_LIBRARY_PATH="$checked:$libraries"
    if [[ ${1-} == checked ]]; then
        for numbers in f32 bf16 f16; do run $numbers "${parts[@]}"; done
        exit
    fi
    cargo test "${built[@]}" --lib --test wordmill --no-run
    # Each keeps one core busy. Tensor cores multiply what has two bytes.
    { run f32 "${parts[@]}" && run bf16 nn::ops::tests nn::ops::conv::tests::windows; } > "$checked/said" 2>&1 &
    echo "tests/gpu/run.sh: what the checked GPU says goes to $checked/said first"
    LD_LIBRARY_PATH="$emulated:$libraries"
    is_well=true
    run bf16 "${parts[@]}" || is_well=false
    # The last thread and block first: results hang on no order.
    WORDMILL_GPU_ORDER=reverse run f16 "${parts[@]}" || is_well=false
    wait $! || is_well=false
    cat "$checked/said"
    $is_well
fi
cargo test "${built[@]}" --test wordmill -- --include-ignored "${whole[@]}"
