#!/usr/bin/env bash
# Brings what the tests of batch/ need into FOLDER: install.sh FOLDER. Spark, the AWS command line and moto come from PyPI, GNU
# parallel and shellcheck from Debian where that is possible. Java, which Spark needs, is the machine's.
set -euo pipefail
mkdir -p "$1"
missing=()
for tool in parallel shellcheck; do
    command -v "$tool" > /dev/null || missing+=("$tool")
done
if ((${#missing[@]})) && ((EUID == 0)) && command -v apt-get > /dev/null; then
    # Without parallel the rest can still be tested.
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } > "$1/apt.log" 2>&1 \
        || echo "tests/batch/install.sh: no ${missing[*]}: $1/apt.log says why" >&2
fi
if [[ ! -e $1/complete ]]; then
    # What is half there may pass for whole.
    rm -rf "$1/venv"
    python3 -m venv "$1/venv"
    "$1/venv/bin/pip" install --quiet --disable-pip-version-check 'pyspark==4.*' 'moto[server]==5.*' 'awscli==1.*'
    touch "$1/complete"
fi
