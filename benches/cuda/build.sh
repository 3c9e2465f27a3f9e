#!/usr/bin/env bash
# Builds for NVIDIA GPUs where there is none: build.sh FOLDER leaves wordmill, the benches steps, decode and gan, and tests
# (of the library, with the names of those for a GPU) in FOLDER, stripped; parts.tar.gz has all of it and measure.sh. nvcc
# comes from PyPI, into FOLDER/toolkit, unless CUDA_HOME has one.
set -euo pipefail
mkdir -p "$1"
folder=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."

CUDA_HOME=$(tests/gpu/toolkit.sh "$folder/toolkit")
export CUDA_HOME
# The file of a program that a build leaves, out of what cargo tells: built NAME ARGUMENTS
built() {
    local name=$1
    shift
    cargo "$@" --message-format json-render-diagnostics \
        | sed -n "s/.*\"name\":\"$name\".*\"executable\":\"\([^\"]*\)\".*/\1/p" | tail -n 1
}
install -s "$(built wordmill build --release --features cuda)" "$folder/wordmill"
for bench in steps decode gan; do
    install -s "$(built $bench bench --features cuda --bench $bench --no-run)" "$folder/$bench"
done
install -s "$(built wordmill test --features cuda --lib --no-run)" "$folder/tests"
cp tests/gpu/parts.txt "$folder/parts.txt"
cp benches/cuda/measure.sh "$folder/measure.sh"
tar -C "$folder" -czf "$folder/parts.tar.gz" wordmill steps decode gan tests parts.txt measure.sh
