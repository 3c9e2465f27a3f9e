#!/usr/bin/env bash
# Runs what has a half on a GPU there, beside the formulas and the CPU: tests/gpu/run.sh [real|checked]
#
# Without `real` the GPU is emulated (build.sh): the same launches and kernels, on the host. With it the GPU is the
# machine's own, and nvcc compiles the kernels. With `checked` every access of a kernel to memory is looked at (checks.h),
# in all kinds of numbers; without either, in f32 only, after all else.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Tests of what has a half on a GPU, by the beginnings of their names.
mapfile -t parts < tests/gpu/parts.txt
whole=(device gpus::)

# The GPU that is emulated from here on: emulate FOLDER [checked]
emulate() {
    local folder=$PWD/target/$1
    tests/gpu/build.sh "$folder" "${@:2}"
    : > "$folder/none.ptx"
    export WORDMILL_KERNELS="$folder/none.ptx" LD_LIBRARY_PATH="$folder:$libraries"
}

# With numbers as they are named. One thread: the emulated device is one.
run_parts() {
    WORDMILL_TEST_GPU=$1 cargo test --features cuda --lib -- --include-ignored --test-threads 1 "${parts[@]}"
}

libraries=${LD_LIBRARY_PATH-}
case ${1-} in
checked)
    tests/gpu/faulty.sh
    emulate checked-gpu checked
    for numbers in f32 bf16 f16; do run_parts $numbers; done
    exit
    ;;
real)
    whole+=(--skip device_without_memory --skip emulated_gpus)
    if (($(nvidia-smi -L | wc -l) < 2)); then
        echo "tests/gpu/run.sh: no tests of several GPUs, for there is one"
        whole+=(--skip gpus::)
    fi
    ;;
*) emulate emulated-gpu ;;
esac
for numbers in f32 bf16; do run_parts $numbers; done
# The last thread and block first: results hang on no order.
WORDMILL_GPU_ORDER=reverse run_parts f16
cargo test --features cuda --test wordmill -- --include-ignored "${whole[@]}"
if [[ ${1-} != real ]]; then
    tests/gpu/faulty.sh
    emulate checked-gpu checked
    run_parts f32
fi
