#!/usr/bin/env bash
# Training by several processes: tests/mpi/run.sh
#
# Needs an MPI with mpicc and mpirun, and libclang to build its bindings; installs Debian's where it may.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v mpirun >/dev/null && [[ $(id -u) = 0 ]] && command -v apt-get >/dev/null; then
    apt-get install -y -q openmpi-bin libopenmpi-dev libclang-dev >/dev/null || true
fi
if ! command -v mpirun >/dev/null || ! command -v mpicc >/dev/null; then
    echo "tests/mpi/run.sh: skipped, for there is no MPI"
    exit
fi
cargo test --features mpi --test wordmill -- --include-ignored mpi_
