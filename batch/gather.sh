#!/usr/bin/env bash
# Puts together what the shards of a job have written: FOLDER/part-00000-of-0000N to FOLDER/part-0000M-of-0000N, M = N - 1.
#
#   gather.sh merge N FOLDER OUTPUT    counts, of `bow --counts` or `glove cooccur`: added up
#   gather.sh lines N FOLDER OUTPUT    lines, one for each line of the input: in the order of the input
#
# --shard I/N takes the lines I, I + N, I + 2N and so on. So the first lines of all parts, one after the other, are the
# first N lines of the whole, then come the second ones, and so on. A command that writes more or fewer lines than it reads
# (CoNLL-U, words one a line) cannot be put together so, and is refused where its numbers of lines show it.
set -euo pipefail

usage() {
    echo "usage: ${0##*/} merge|lines N FOLDER OUTPUT" >&2
    exit 2
}

if (($# != 4)) || [[ $1 != merge && $1 != lines ]] || [[ ! $2 =~ ^[1-9][0-9]*$ ]]; then
    usage
fi
how=$1 shards=$2 folder=$3 output=$4

parts=()
for ((i = 0; i < shards; i++)); do
    part=$(printf '%s/part-%05d-of-%05d' "$folder" "$i" "$shards")
    if [[ ! -f $part ]]; then
        echo "${0##*/}: $part is missing: run shard $i/$shards again" >&2
        exit 1
    fi
    parts+=("$part")
done
# All parts are open at once.
ulimit -n "$(ulimit -H -n)"

# Succeeds if the parts have the numbers of lines that the shards of one text have.
check_lines() {
    local i count total=$1
    for ((i = 0; i < shards; i++)); do
        count=$(wc -l < "${parts[i]}")
        if ((count != (total - i + shards - 1) / shards)); then
            echo "${0##*/}: ${parts[i]}: $count of $total lines: not a line for each line of the input" >&2
            return 1
        fi
    done
}

if [[ $how == merge ]]; then
    wordmill merge "${parts[@]}" -o "$output"
else
    total=$(cat "${parts[@]}" | wc -l)
    check_lines "$total"
    # Where a part has no line left, paste writes an empty one; these are the last ones of its output.
    empty=$((shards * $(wc -l < "${parts[0]}") - total))
    unfinished=$(mktemp "$output.XXXXXX")
    trap 'rm -f "$unfinished"' EXIT
    paste -d '\n' "${parts[@]}" | head -n "-$empty" > "$unfinished"
    chmod "$(printf '%o' $((0666 & ~$(umask))))" "$unfinished"
    mv "$unfinished" "$output"
fi
