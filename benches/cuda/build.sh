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
# Leaves the program NAME that a build makes, whose place cargo tells, as FILE: built NAME FILE ARGUMENTS
built() {
    local program
    program=$(cargo "${@:3}" --features cuda --message-format json-render-diagnostics \
        | sed -n "s/.*\"name\":\"$1\".*\"executable\":\"\([^\"]*\)\".*/\1/p" | tail -n 1)
    install -s "$program" "$folder/$2"
}
built wordmill wordmill build --release
for bench in steps decode gan; do built $bench $bench bench --bench $bench --no-run; done
built wordmill tests test --lib --no-run
cp tests/gpu/parts.txt "$folder/parts.txt"
cp benches/cuda/measure.sh "$folder/measure.sh"
tar -C "$folder" -czf "$folder/parts.tar.gz" wordmill steps decode gan tests parts.txt measure.sh
