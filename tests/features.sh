#!/usr/bin/env bash
# What is built on request, in one build: NVIDIA GPUs, training by several processes, and objects of S3: tests/features.sh
#
# `cuda` needs a C++ compiler, for an emulated GPU (tests/gpu/run.sh). `mpi` needs an MPI with mpicc and mpirun, and libclang
# to build its bindings; Debian's are installed where that is allowed. `s3` needs a stand-in for S3 (tests/batch/install.sh).
# What is not at hand is left out.
set -euo pipefail
cd "$(dirname "$0")/.."
features=() tests=()

has_mpi() {
    local clang=("${LIBCLANG_PATH-/nowhere}" /usr/lib/llvm-*/lib /usr/lib/*-linux-gnu /usr/lib64 /usr/lib /usr/local/lib)
    command -v mpirun >/dev/null && command -v mpicc >/dev/null &&
        [[ -n $(find "${clang[@]}" -maxdepth 1 \( -name 'libclang.so*' -o -name 'libclang-[0-9]*.so*' \) -print -quit 2>/dev/null) ]]
}
if ! has_mpi && ((EUID == 0)) && command -v apt-get >/dev/null; then
    { apt-get update -qq && apt-get install -y -qq openmpi-bin libopenmpi-dev libclang-dev; } >/dev/null || true
fi
if has_mpi; then
    features+=(mpi) tests+=(mpi_)
else
    echo "tests/features.sh: no tests of mpi, for there is no MPI or no libclang"
fi

peers=$PWD/target/batch-peers
timeout 600 tests/batch/install.sh "$peers" || true
export PATH="$peers/venv/bin:$PATH"
if moto_server --help >/dev/null 2>&1; then
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
    # Its kernels are none: no GPU is to be found.
    CUDA_VISIBLE_DEVICES='' cargo test --features "$(IFS=,; echo "${features[*]}")" --test wordmill -- --include-ignored "${tests[@]}"
fi
