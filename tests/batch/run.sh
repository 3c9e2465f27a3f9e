#!/usr/bin/env bash
# Runs the tests of batch/ with what they need at hand: tests/batch/run.sh. What cannot be installed is skipped.
set -euo pipefail
cd "$(dirname "$0")/../.."
peers=$PWD/target/batch-peers
timeout 600 tests/batch/install.sh "$peers" || echo "tests/batch/run.sh: not all is installed; what needs it is skipped"
# What is skipped is told.
PATH="$peers/venv/bin:$PATH" cargo test --test wordmill batch:: -- --nocapture
