#!/usr/bin/env bash
# Runs a wordmill command over the blocks of a large file with GNU parallel, and joins what they give in order:
#
#   parallel.sh [-b SIZE] [-e END] [-S HOST,HOST… [-w PATH]] INPUT OUTPUT COMMAND [ARGUMENT…]
#
#   parallel.sh pages.txt tagged.txt pos --from lines --to text
#   parallel.sh -b 200M -S node1,node2,: pages.jsonl named.jsonl ner
#
#   -b SIZE   bytes of a block, cut at the next line end [default: 10M]
#   -e END    what ends a record, if not a line: '\n\n' for running text, where a blank line ends a paragraph
#   -S HOSTS  hosts that ssh reaches without a password; `:` is this machine. The binary is copied to them first. They
#             need Perl, and GNU parallel to count their cores, unless that is said: 8/node1,16/node2
#   -w PATH   where wordmill is on the hosts already, as their shells read it; nothing is copied then
#
# The output is that of one run over the whole file if COMMAND looks at no more than a record at a time: --from lines,
# --from tokens, JSON Lines, or `stem`. CoNLL-U numbers its sentences anew in each block. OUTPUT appears when all blocks
# have succeeded; blocks wait in $TMPDIR for their turn, which must have room for them.
set -euo pipefail

block=10M end='\n' hosts='' remote=''
while getopts b:e:S:w: option; do
    case $option in
        b) block=$OPTARG ;;
        e) end=$OPTARG ;;
        S) hosts=$OPTARG ;;
        w) remote=$OPTARG ;;
        *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
if (($# < 3)); then
    echo "usage: ${0##*/} [-b SIZE] [-e END] [-S HOST,HOST… [-w PATH]] INPUT OUTPUT COMMAND [ARGUMENT…]" >&2
    exit 2
fi
input=$1 output=$2
shift 2
wordmill=$(command -v wordmill) || { echo "${0##*/}: wordmill is not on the path" >&2; exit 1; }

# There is a job for each core, so each gets one thread, unless the caller says otherwise.
if [[ " $* " != *" --threads"* ]]; then
    set -- "$@" --threads 1
fi

# Nothing half-written ever has the name of the output, and what a failing run leaves is removed.
unfinished=$(mktemp "$output.XXXXXX")
trap 'rm -f "$unfinished"' EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

# Writes the command line that bash is to run on each block: the program, then its arguments, quoted.
line() {
    printf 'exec %s' "$1"
    shift
    printf ' %q' "$@"
}

flags=(--pipepart --keep-order --halt "soon,fail=1" --recend "$end" --block "$block" -a "$input")
program=$(printf '%q' "$wordmill")
if [[ -n $hosts ]]; then
    flags+=(--sshlogin "$hosts")
    # Unquoted, for ~ is the home of the host.
    program=${remote:-'~'/.cache/wordmill/wordmill}
fi
if [[ -n $hosts && -z $remote ]]; then
    IFS=, read -ra each <<< "$hosts"
    for host in "${each[@]}"; do
        # GNU parallel's JOBS/HOST is how many jobs the host gets.
        host=${host##*/}
        ship='mkdir -p ~/.cache/wordmill && cd ~/.cache/wordmill && cat > new.$$ && chmod +x new.$$ && mv new.$$ wordmill'
        if [[ $host == : ]]; then
            bash -c "$ship" < "$wordmill"
        else
            ssh -o BatchMode=yes "$host" "$ship" < "$wordmill"
        fi
    done
fi

if [[ -s $input ]]; then
    # GNU parallel replaces {}, {1} and the like in a command, and they mean other things in regular expressions. So the
    # command travels in a variable, which --env takes to the hosts.
    WORDMILL_LINE=$(line "$program" "$@")
    export WORDMILL_LINE
    # GNU parallel wants a home, which services and boot scripts may lack.
    export HOME=${HOME:-~}
    # shellcheck disable=SC2016 # It is the shell of each job that replaces the variable.
    parallel "${flags[@]}" --env WORDMILL_LINE 'bash -c "$WORDMILL_LINE"' > "$unfinished"
else
    # Of an empty file there are no blocks, but its output may have a header.
    "$wordmill" "$@" < "$input" > "$unfinished"
fi
# mktemp lets nobody else read it.
chmod "$(printf '%o' $((0666 & ~$(umask))))" "$unfinished"
mv "$unfinished" "$output"
