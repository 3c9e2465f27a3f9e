#!/bin/bash
# GloVe: wall time, memory and scores of one run. No GloVe that is kept can be installed by pip, so it runs alone; the
# authors' program (github.com/stanfordnlp/GloVe, built with -Ofast -march=native) takes the same settings.
#
#   glove.sh BINARY CORPUS WORD_EVAL [FLAGS...]      WORD_EVAL: folder of questions-words.txt and EN-*.txt
set -eu
binary=$1 corpus=$2 data=$3
shift 3
out=$(mktemp -d)
trap 'rm -r "$out"' EXIT
/usr/bin/time -f '%e s wall, %U s of processor, %M kB' "$binary" glove train "$corpus" --threads 2 "$@" -o "$out/vectors.txt"
"${PYTHON:-python3}" "$(dirname "$0")/embed.py" scores --data "$data" "$out/vectors.txt"
