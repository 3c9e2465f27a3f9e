#!/usr/bin/env bash
# Counts of a large text, whole and in eight parts that are merged: benches/shards.sh WORDMILL TEXT FOLDER [GIGABYTES]
#
# TEXT, of about 100 MB, is written again and again into FOLDER, each time with its letters turned round by one more place, so
# that there are always new words. Prints seconds, the most memory, and bytes of what is written; fails unless the merged
# counts are those of the whole, byte for byte.
set -euo pipefail
(($# >= 3)) || { sed -n 2p "$0"; exit 2; }
program=$1 text=$2 folder=$3 gigabytes=${4-20}
small=abcdefghijklmnopqrstuvwxyz large=ABCDEFGHIJKLMNOPQRSTUVWXYZ
size=$(stat -c %s "$text")
copies=$((gigabytes * 1000000000 / size / 8))

turn() { # LETTERS BY
    echo "${1:$2}${1:0:$2}"
}

for part in 0 1 2 3 4 5 6 7; do
    for ((copy = 0; copy < copies; copy++)); do
        number=$((part * copies + copy))
        by=$((number % 26)) other=$((number / 26 % 26))
        tr "$small$large" "$(turn $small $by)$(turn $large $other)" <"$text"
    done >"$folder/$part.txt"
done

measure() { # NAME OUT COMMAND...
    local name=$1 out=$2
    shift 2
    /usr/bin/time -f "$name: %e s, %M kB of memory" "$@" -o "$out"
    echo "  $(stat -c %s "$out") bytes written"
}

du -shc "$folder"/?.txt | tail -n 1
measure "the whole" "$folder/whole.counts" "$program" bow --counts --memory 1G --temp-dir "$folder" -q "$folder"/?.txt
for part in 0 1 2 3 4 5 6 7; do
    measure "part $part" "$folder/$part.counts" "$program" bow --counts --memory 1G --temp-dir "$folder" -q "$folder/$part.txt"
done
measure "merged" "$folder/merged.counts" "$program" merge "$folder"/?.counts
measure "half of them" "$folder/first.counts" "$program" merge "$folder"/[0246].counts
measure "the others" "$folder/second.counts" "$program" merge "$folder"/[1357].counts
measure "the halves" "$folder/tree.counts" "$program" merge "$folder/second.counts" "$folder/first.counts"
cmp "$folder/whole.counts" "$folder/merged.counts"
cmp "$folder/whole.counts" "$folder/tree.counts"
echo "all the same"
