#!/usr/bin/env bash
# Trains models for other languages than English and scores them: a line per figure, the same lines each time.
#
#     models/languages.sh DATA_DIR [WORDMILL]
#
# DATA_DIR holds ud-french-sequoia, ud-turkish-imst, ud-japanese-gsd and tatoeba_en_fr, each in a folder of its own; WORDMILL is the
# program, target/release/wordmill unless given. Figures are F1 in percent on the dev parts, which no model has seen; those of
# Japanese, of which there is a dev part only, on every second sentence of it, learned from the others. Nothing is kept:
# the licences of these data do not allow it for all. Takes minutes.
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
cd "$work"

scores() { # NAME COMMAND FILE FLAGS…: the first table of each setting
    local name=$1 command=$2 file=$3
    shift 3
    "$wordmill" "$command" eval "$file" "$@" | awk -v OFS='\t' -v name="$name" '
        / precision +recall +F1 / {
            setting = $0
            sub(/ +precision.*/, "", setting)
            shown = setting ~ /^(gold tokens|raw text)$/
            next
        }
        NF == 0 { shown = 0 }
        shown && $4 ~ /^[0-9.]+$/ { print name, setting, $1, $4 }'
}

words() { # The words of CoNLL-U, a sentence a line, in small letters
    "$wordmill" tokenize --from conllu --to text --lower "$@"
}

language() { # CODE NAME FLAGS OF pos train…: tagger and lemmatizer beside the tokenizer; scores on dev.conllu
    local code=$1 name=$2
    shift 2
    "$wordmill" pos train -q --language "$code" train.conllu "$@" -o pos
    "$wordmill" lemmatize train -q --language "$code" train.conllu -o lemmatize
    scores "$name" pos dev.conllu --model tokenize --model pos
    scores "$name" lemmatize dev.conllu --model tokenize --model pos --model lemmatize | grep Lemmas
}

vectors() { # MIN_COUNT FILES…
    local least=$1
    shift
    "$wordmill" word2vec train -q --deterministic --dim 64 --epochs 10 --min-count "$least" "$@" -o vectors.vec
}

echo $'data\tgiven\tfigure\tvalue'

# French: word classes and vectors from Tatoeba.
gunzip -c "$data/ud-french-sequoia/fr_sequoia-ud-train.conllu.gz" >train.conllu
gunzip -c "$data/ud-french-sequoia/fr_sequoia-ud-dev.conllu.gz" >dev.conllu
"$wordmill" tokenize train -q --language fr train.conllu -o tokenize
gunzip -c "$data/tatoeba_en_fr/train.fr.gz" | "$wordmill" tokenize --model tokenize --lower --from lines >text
words train.conllu >>text
"$wordmill" classes -q --classes 50 --min-count 5 text -o coarse.tsv
"$wordmill" classes -q --classes 300 --min-count 5 text -o fine.tsv
vectors 3 text
language fr "French-Sequoia dev" --vectors vectors.vec --classes coarse.tsv --classes fine.tsv

# Turkish: vectors from the words of the training data themselves.
gunzip -c "$data/ud-turkish-imst/tr_imst-ud-train.conllu.gz" >train.conllu
gunzip -c "$data/ud-turkish-imst/tr_imst-ud-dev.conllu.gz" >dev.conllu
"$wordmill" tokenize train -q --language tr train.conllu -o tokenize
words train.conllu >text
vectors 2 text
language tr "Turkish-IMST dev" --vectors vectors.vec

# Japanese: the sentences of even number to learn from, the others to score on.
half() { # 0 or 1
    gunzip -c "$data/ud-japanese-gsd/ja_gsd-ud-dev.conllu.gz" |
        awk -v half="$1" 'BEGIN { RS = ""; ORS = "\n\n" } NR % 2 == half'
}
half 0 >even.conllu
half 1 >odd.conllu
"$wordmill" tokenize train -q --language ja even.conllu -o tokenize
scores "Japanese-GSD dev, odd half" tokenize odd.conllu --model tokenize
