#!/usr/bin/env bash
# Builds the stand-ins for CUDA's libraries: build.sh FOLDER [checked [KERNELS]]. Programs find them with
# LD_LIBRARY_PATH=FOLDER.
#
# checked: every access of a kernel to memory is looked at (checks.h). KERNELS: others than those of src/nn/ops/cuda.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
mkdir -p "$folder"
flags=(-std=c++17 -O2 -ffp-contract=off -fPIC -Wall -Wextra -Wno-unused-variable -U_FORTIFY_SOURCE -I "$here")
driver=("$here"/{libcuda,blocks}.cc)
kernels=()
if [[ ${2-} == checked ]]; then
    flags+=(-DCHECKED)
    driver+=("$here"/{checks,faults,shared,watched}.cc)
    # Accesses are to be those of the source, and their lines are told.
    kernels=(-fsanitize=thread -fno-tree-vectorize -g1)
fi
c++ "${flags[@]}" "${kernels[@]}" -I "$here/../../src/nn/ops/cuda" -x c++ -c "${3-$here/kernels.cc}" -o "$folder/kernels.o"
c++ "${flags[@]}" -shared -Wl,-z,defs -Wl,-soname,libcuda.so.1 "${driver[@]}" "$folder/kernels.o" -ldl -o "$folder/libcuda.so.1"
rm "$folder/kernels.o"
ln -sf libcuda.so.1 "$folder/libcuda.so"
c++ "${flags[@]}" -shared "$here/libcublas.cc" -L "$folder" -Wl,--as-needed -lcuda -o "$folder/libcublas.so.13"
c++ "${flags[@]}" -shared "$here/libnccl.cc" -L "$folder" -Wl,--as-needed -lcuda -o "$folder/libnccl.so.2"
ln -sf libcublas.so.13 "$folder/libcublas.so"
