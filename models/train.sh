#!/usr/bin/env bash
# Trains the English models of models/en from the open data sets: the same bytes every time.
#
#     models/train.sh DATA_DIR [OUT_DIR]
#
# DATA_DIR holds one folder for each data set, as models/README.md lists them. Needs cargo, awk, gzip, python3. Takes half an hour.
set -euo pipefail
cd "$(dirname "$0")/.."
silver=$PWD/models/silver
data=$(realpath "$1")
out=$(realpath -m "${2:-models/en}")
export LC_ALL=C
# Without the models inside: they are what is made here.
profile=${PROFILE:-release}
cargo build --profile "$profile" --no-default-features
wordmill=$PWD/target/${profile/dev/debug}/wordmill
work=${WORK:-$(mktemp -d)}
trap '[ -n "${WORK:-}" ] || rm -rf "$work"' EXIT
mkdir -p "$out"
cd "$work"

gunzip -c "$data/ud-english-ewt/en_ewt-ud-train.conllu.gz" >ewt.conllu
gunzip -c "$data/ud-english-ewt/en_ewt-ud-dev.conllu.gz" >ewt-dev.conllu
gunzip -c "$data/uner-english-ewt/en_ewt-ud-train.iob2.gz" >uner-train.iob2
gunzip -c "$data/uner-english-ewt/en_ewt-ud-dev.iob2.gz" >uner-dev.iob2
# GUM without the genres whose licences are not verified.
gunzip -c "$data/ud-english-gum/en_gum-ud-train-open.conllu.gz" |
    awk '/^# newdoc id/ { keep = $0 !~ /GUM_(conversation|court|vlog)/ } keep' >gum.conllu

train() { # LAYER ARGUMENTS…: one model, compressed as far as zstd goes
    local layer=$1
    shift
    "$wordmill" "$layer" train "$@" --language en --license "CC BY-SA 4.0" -o "$layer.safetensors"
    "$wordmill" model pack "$layer.safetensors" -o "$out/$layer.safetensors.zst"
}

train tokenize ewt.conllu --valid ewt-dev.conllu
# Word classes, coarse and fine, from Wikipedia.
python3 -c 'import lzma, shutil, sys; shutil.copyfileobj(lzma.open(sys.argv[1]), sys.stdout.buffer)' \
    "$data/enwiki-cased/enwiki-cased.txt.xz" >wiki.txt
"$wordmill" tokenize --model tokenize.safetensors --lower --from text wiki.txt >wiki.tokens
"$wordmill" classes -q --classes 100 --min-count 8 --rounds 12 wiki.tokens -o coarse.tsv
"$wordmill" classes -q --classes 600 --min-count 8 --rounds 10 wiki.tokens -o fine.tsv
classes=(--classes coarse.tsv --classes fine.tsv)

# AGID: "word V: past | participle | ing-form | third person", "word N: plural", "word A: comparative | superlative".
# Guessed (?) and marked (~ < !) forms are left out.
gunzip -c "$data/agid/infl.txt.gz" | awk -F': ' '
    function forms(slot, upos, tags,    list, n, i, form, tag, k, m) {
        n = split(slot, list, ", ")
        for (i = 1; i <= n; i++) {
            if (list[i] ~ /[?~<!]/) continue
            form = list[i]
            sub(/ .*/, "", form)
            if (form !~ /^[a-z'"'"'-]+$/) continue
            m = split(tags, tag, " ")
            for (k = 1; k <= m; k++) print form "\t" lemma "\t" upos "\t" tag[k]
        }
    }
    {
        split($1, head, " ")
        lemma = head[1]; pos = head[2]
        if (lemma !~ /^[a-z'"'"'-]+$/ || pos ~ /\?$/) next
        n = split($2, slots, " [|] ")
        if (pos == "V" && n >= 3) {
            forms(slots[1], "VERB", n == 3 ? "VBD VBN" : "VBD")
            if (n == 4) forms(slots[2], "VERB", "VBN")
            forms(slots[n - 1], "VERB", "VBG")
            forms(slots[n], "VERB", "VBZ")
            forms(lemma, "VERB", "VB")
        } else if (pos == "N") {
            forms(slots[1], "NOUN", "NNS")
            forms(lemma, "NOUN", "NN")
        } else if (pos == "A") {
            forms(slots[1], "ADJ", "JJR")
            forms(slots[2], "ADJ", "JJS")
            forms(lemma, "ADJ", "JJ")
        }
    }' >inflections.tsv
# Text that a teacher has tagged (models/silver), of which the gold sentences must not be lost sight of.
python3 "$silver/silver.py" text "$data" "$wordmill" --model tokenize.safetensors text
python3 "$silver/silver.py" unpack text "$silver/en.xz" >silver.conllu
tagged=(silver.conllu --also gum.conllu --dictionary inflections.tsv "${classes[@]}")
train pos ewt.conllu ewt.conllu ewt.conllu "${tagged[@]}" --valid ewt-dev.conllu
# WordNet: form, lemma, part of speech of irregular forms. Those that AGID has are left out: it keeps spellings apart.
gunzip -c "$data/english-wordnet/irregular-forms.tsv.gz" | awk -F'\t' -v OFS='\t' '
    $1 !~ /^[a-z'"'"'-]+$/ || $2 !~ /^[a-z'"'"'-]+$/ || $1 == $2 { next }
    $3 == "n" { print $1, $2, "NOUN", "NNS" }
    $3 == "v" && $1 ~ /ing$/ { print $1, $2, "VERB", "VBG"; next }
    $3 == "v" && $1 ~ /s$/ { print $1, $2, "VERB", "VBZ"; next }
    $3 == "v" { print $1, $2, "VERB", "VBD"; print $1, $2, "VERB", "VBN" }
    $3 == "a" && $1 ~ /st$/ { print $1, $2, "ADJ", "JJS"; next }
    $3 == "a" { print $1, $2, "ADJ", "JJR" }
    $3 == "r" && $1 ~ /st$/ { print $1, $2, "ADV", "RBS"; next }
    $3 == "r" { print $1, $2, "ADV", "RBR" }' |
    awk -F'\t' 'NR == FNR { known[$1, $4]; next } !(($1, $4) in known)' inflections.tsv - >irregulars.tsv
train lemmatize ewt.conllu gum.conllu --dictionary inflections.tsv --dictionary irregulars.tsv --tagger pos.safetensors --valid ewt-dev.conllu

# The recognizer learns from tags as bad as those it will meet: a fifth of the documents at a time is tagged by a
# tagger trained on the others.
tag_fold() {
    local fold=$1
    part() { awk -v fold="$fold" -v same="$1" '/^# newdoc/ { d++ } (d % 5 == fold) == same' "$2"; }
    part 0 ewt.conllu >rest$fold.conllu
    part 1 uner-train.iob2 >part$fold.iob2
    "$wordmill" pos train -q rest$fold.conllu{,,} "${tagged[@]}" --epochs 2 --language en -o fold$fold.safetensors
    "$wordmill" pos --model tokenize.safetensors --model fold$fold.safetensors --from columns --columns _,form,ner,_,_ --to conllu \
        part$fold.iob2 >tagged$fold.conllu
    rm rest$fold.conllu part$fold.iob2 fold$fold.safetensors
}
tag_fold 0 & tag_fold 1; wait $!
tag_fold 2 & tag_fold 3; wait $!
tag_fold 4
cat tagged{0,1,2,3,4}.conllu >uner-train.conllu
"$wordmill" pos --model tokenize.safetensors --model pos.safetensors --from columns --columns _,form,ner,_,_ --to conllu uner-dev.iob2 >uner-dev.conllu
{
    python3 "$silver/silver.py" unpack text "$silver/en.xz" masc state_union
    python3 "$silver/silver.py" unpack text "$silver/en.xz" tatoeba | awk -v RS= -v ORS='\n\n' 'NR % 4 == 1'
} | "$wordmill" pos --model tokenize.safetensors --model pos.safetensors --from conllu --to conllu >silver-names.conllu
# What the teacher calls the words of its text, and what a first recognizer calls those of Wikipedia, are two more lists of
# classes: how often a word is written with a capital, which type of entity it is then for the most part, and how often.
names_of() {
    awk -F'\t' '
        NF < 8 || $1 ~ /-/ { next }
        {
            word = tolower($2)
            seen[word]++
            if ($2 == word) next
            capitals[word]++
            if (match($NF, /NER=[BI]-[A-Z]+/)) typed[word, substr($NF, RSTART + 6, RLENGTH - 6)]++
        }
        END {
            n = split("PER ORG LOC OTH", types, " ")
            for (word in seen) {
                if (seen[word] < 3) continue
                all = capitals[word]
                if (!all) { print word "\t" 0; continue }
                share = all / seen[word]
                written = share < 0.05 ? 0 : share < 0.5 ? 1 : share < 0.95 ? 2 : 3
                best = 0
                most = all
                for (t = 1; t <= n; t++) most -= typed[word, types[t]]
                for (t = 1; t <= n; t++) if (typed[word, types[t]] > most) { best = t; most = typed[word, types[t]] }
                share = most / all
                sure = share < 0.5 ? 0 : share < 0.7 ? 1 : share < 0.9 ? 2 : 3
                print word "\t" 1 + sure + 4 * (best + (n + 1) * written)
            }
        }
    ' | sort
}
names_of <silver.conllu >teacher-names.tsv
learn=(uner-train.conllu "${classes[@]}" --classes teacher-names.tsv --tagger pos.safetensors)
"$wordmill" ner train -q "${learn[@]}" -o first.safetensors
"$wordmill" ner --model tokenize.safetensors --model pos.safetensors --model first.safetensors --from text --to conllu wiki.txt |
    names_of >wiki-names.tsv
# OTH (nationalities, products, events): learned, so that they are not taken for places, and not shown.
train ner "${learn[@]}" --classes wiki-names.tsv --also silver-names.conllu --epochs 4 --hide OTH --calibrate --valid uner-dev.conllu
# Text in capitals or in lower case throughout: the tagger learns how words are written, from a thirtieth of Wikipedia
# besides, and from the forms of all of it that do not begin a sentence.
"$wordmill" tokenize --model tokenize.safetensors --from text wiki.txt | awk '
    {
        inside = 0
        for (i = 1; i <= NF; i++) {
            if ($i ~ /[A-Za-z\200-\377]/) {
                if (inside) count[$i]++
                inside = 1
            } else if ($i ~ /^[.:!?"`'"'"']/) inside = 0
        }
    }
    END { for (form in count) print form "\t" count[form] }' | sort >forms.tsv
awk 'NR % 30 == 0' wiki.txt |
    "$wordmill" tokenize --model tokenize.safetensors --from text --to conllu >wiki-part.conllu
"$wordmill" pos truecase ewt.conllu gum.conllu wiki-part.conllu --forms forms.tsv --model pos.safetensors -o truecase.safetensors
"$wordmill" model pack truecase.safetensors -o "$out/pos.safetensors.zst"
ls -l "$out"
