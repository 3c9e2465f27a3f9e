#!/usr/bin/env bash
# Speed, start-up and memory of the release build on running text, beside the bars that were set for them.
#
#     benches/speed.sh DATA [WORDMILL] [--runs N] [--megabytes N] [--gigabytes N]
#
# DATA is the folder of data sets that models/train.sh takes; WORDMILL the program, built here unless given. The flags are
# those of benches/speed.py, which measures: its head says how.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ $# -lt 1 ]; then
    sed -n '2,/^set/{s/^# \{0,1\}//;/^set/!p}' "$0" >&2
    exit 2
fi
data=$1
shift
if [ $# -eq 0 ] || [ "${1#--}" != "$1" ]; then
    cargo build --release --quiet
    set -- target/release/wordmill "$@"
fi
exec python3 benches/speed.py "$data" "$@"
