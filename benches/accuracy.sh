#!/usr/bin/env bash
# Every figure of the model cards again, from the models inside the program: a line per figure, the same lines each time.
#
#     benches/accuracy.sh DATA [WORDMILL]
#
# DATA is the folder of data sets that models/train.sh takes; WORDMILL the program, target/release/wordmill unless given.
# Figures are F1 in percent on the dev parts, which no model has seen; the last ones are words of the stem lists that get
# another stem than theirs, those known in src/text/stem/snowball.rs, which the test itself allows for.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ $# -lt 1 ] || [ $# -gt 2 ]; then
    sed -n '2,/^set/{s/^# \{0,1\}//;/^set/!p}' "$0" >&2
    exit 2
fi
data=$(realpath "$1")
if [ $# -lt 2 ]; then
    cargo build --release --quiet
fi
wordmill=$(realpath "${2:-target/release/wordmill}")
export LC_ALL=C
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

gunzip -c "$data/ud-english-ewt/en_ewt-ud-dev.conllu.gz" >"$work/ewt-dev.conllu"
gunzip -c "$data/uner-english-ewt/en_ewt-ud-dev.iob2.gz" >"$work/uner-ewt-dev.iob2"

scores() { # NAME COMMAND FILE [FLAGS…]: the first table of each setting; those by tag and of confusions are left out
    local name=$1 command=$2 file=$3
    shift 3
    "$wordmill" "$command" eval "$work/$file" "$@" | awk -v OFS='\t' -v name="$name" -v command="$command" '
        / precision +recall +F1 / {
            setting = $0
            sub(/ +precision.*/, "", setting)
            shown = setting ~ /^(gold|raw)/
            next
        }
        NF == 0 { shown = 0 }
        shown && $4 ~ /^[0-9.]+$/ { print name, command, setting, $1, $4 }'
}

echo $'data\tlayer\tgiven\tfigure\tvalue'
scores "EWT dev" tokenize ewt-dev.conllu
scores "EWT dev" pos ewt-dev.conllu
scores "EWT dev" lemmatize ewt-dev.conllu
scores "UNER EWT dev" ner uner-ewt-dev.iob2 --columns _,form,ner,_,_

# The test prints NAME, "N words", "N differ", "N empty", examples. The dev profile, because CI has built it already.
WORDMILL_DATA=$data cargo test --quiet --lib full_lists_agree -- --ignored --nocapture >"$work/stems" ||
    { cat "$work/stems" >&2; exit 1; }
awk -F'\t' -v OFS='\t' '$2 ~ / words$/ {
    sub(/ words/, "", $2); sub(/ differ/, "", $3)
    print "stem list", "stem", $2 " words", $1, $3
}' "$work/stems"
