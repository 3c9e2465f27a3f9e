#!/usr/bin/env bash
# What is built on request, in one build: NVIDIA GPUs, training by several processes, and objects of S3: tests/features.sh
#
# `cuda` needs a C++ compiler, for an emulated GPU (tests/gpu/run.sh). `mpi` needs an MPI with mpicc and mpirun, and libclang
# to build its bindings; Debian's are installed where that is allowed. `s3` needs a stand-in for S3 (tests/batch/install.sh).
# What is not at hand is left out.
set -euo pipefail
cd "$(dirname "$0")/.."
features=() tests=()

if ! command -v mpirun >/dev/null && [[ $(id -u) = 0 ]] && command -v apt-get >/dev/null; then
    apt-get install -y -q openmpi-bin libopenmpi-dev libclang-dev >/dev/null || true
fi
if command -v mpirun >/dev/null && command -v mpicc >/dev/null; then
    features+=(mpi) tests+=(mpi_)
else
    echo "tests/features.sh: no tests of mpi, for there is no MPI"
fi

peers=$PWD/target/batch-peers
timeout 600 tests/batch/install.sh "$peers" || true
export PATH="$peers/venv/bin:$PATH"
if command -v moto_server >/dev/null; then
    features+=(s3) tests+=(s3::)
else
    echo "tests/features.sh: no tests of s3, for there is no moto_server"
fi

if command -v c++ >/dev/null; then
    features+=(cuda)
    . tests/gpu/without_nvcc.sh
    FEATURES=$(IFS=,; echo "${features[*]}") tests/gpu/run.sh
else
    echo "tests/features.sh: no tests of cuda, for there is no C++ compiler"
fi
if ((${#tests[@]})); then
    cargo test --features "$(IFS=,; echo "${features[*]}")" --test wordmill -- --include-ignored "${tests[@]}"
fi
