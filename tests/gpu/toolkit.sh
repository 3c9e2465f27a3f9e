#!/usr/bin/env bash
# Prints the folder of a CUDA toolkit with nvcc: toolkit.sh FOLDER. CUDA_HOME where that is set, or what PyPI has of it, brought
# to FOLDER.
set -euo pipefail
if [[ -n ${CUDA_HOME-} ]]; then
    echo "$CUDA_HOME"
    exit
fi
if [[ ! -e $1/whole ]]; then
    rm -rf "$1"
    python3 -m venv "$1" >&2
    "$1/bin/pip" install --quiet nvidia-{cuda-nvcc,nvvm,cuda-crt,cuda-runtime,cuda-cccl}==13.0.* >&2
    touch "$1/whole"
fi
echo "$1"/lib/python3*/site-packages/nvidia/cu13
