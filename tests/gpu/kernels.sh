#!/usr/bin/env bash
# Compiles the kernels for real GPUs, where a toolkit can be had: what the emulated one takes, nvcc may refuse.
#
# As build.rs does, for T4 and for A100 and later; and what that gives to machine code, which finds what is too large.
set -euo pipefail
cd "$(dirname "$0")/../.."
if ! command -v c++ >/dev/null; then
    echo "tests/gpu/kernels.sh: skipped, for nvcc wants a C++ compiler"
    exit
fi
folder=$PWD/target/gpu-kernels
mkdir -p "$folder"
if ! home=$(timeout 300 tests/gpu/toolkit.sh "$folder/toolkit"); then
    echo "tests/gpu/kernels.sh: skipped, for there is no nvcc and PyPI has not given it"
    exit
fi
for capability in 75 80; do
    "$home/bin/nvcc" -ptx -O3 -std=c++17 -arch=compute_$capability src/nn/ops/cuda/kernels.cu -o "$folder/$capability.ptx"
    # As build.rs has it, for older drivers.
    sed -i 's/^\.version .*/.version 7.0/' "$folder/$capability.ptx"
    "$home/bin/ptxas" -arch=sm_$capability "$folder/$capability.ptx" -o "$folder/$capability.cubin"
    echo "tests/gpu/kernels.sh: $(grep -c '^\.visible .entry' "$folder/$capability.ptx") kernels for sm_$capability"
done
