#!/usr/bin/env bash
# Builds the stand-ins for CUDA's libraries: build.sh FOLDER. Programs find them with LD_LIBRARY_PATH=FOLDER.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
flags=(-std=c++17 -O2 -ffp-contract=off -fPIC -shared -Wall -Wextra -Wno-unused-variable -U_FORTIFY_SOURCE)
c++ "${flags[@]}" -x c++ -I "$here" -I "$here/../../src/nn/ops/cuda" "$here/libcuda.cc" -o "$1/libcuda.so.1"
c++ "${flags[@]}" "$here/libcublas.cc" -o "$1/libcublas.so.13"
c++ "${flags[@]}" "$here/libnccl.cc" -o "$1/libnccl.so.2"
ln -sf libcuda.so.1 "$1/libcuda.so"
ln -sf libcublas.so.13 "$1/libcublas.so"
