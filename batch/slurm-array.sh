#!/usr/bin/env bash
#SBATCH --job-name=wordmill
#SBATCH --cpus-per-task=4
#SBATCH --mem=4G
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:USR1@120
#
# Runs a wordmill command under Slurm, as the shards of an array or as one training that outlives its time limit:
#
#   slurm-array.sh shard INPUT FOLDER COMMAND [ARGUMENT…]    task I of N writes FOLDER/part-0000I-of-0000N
#   slurm-array.sh train COMMAND [ARGUMENT…]                 a trainer that knows --resume
#
# Both add --threads, as many as the job has cores; a shard also gets --shard and --out, and INPUT as its last argument.
#
# Shards, and a job that puts them together when all have succeeded (gather.sh lies beside this script):
#
#   id=$(sbatch --parsable --array=0-7 slurm-array.sh shard pages.txt parts bow --counts)
#   sbatch --dependency=afterok:$id --kill-on-invalid-dep=yes --wrap 'gather.sh merge 8 parts counts.tsv'
#
# Some of them again, after others have succeeded; SHARDS then says how many there are in all:
#
#   SHARDS=8 sbatch --array=3,5 slurm-array.sh shard pages.txt parts bow --counts
#
# A training. 120 seconds before the time limit Slurm sends SIGUSR1 to this script, which lets wordmill write a checkpoint
# and puts the job in the queue again. So it does when wordmill gets SIGTERM because the job is preempted; the partition's
# GraceTime must leave time for a checkpoint. scancel ends a job for good. Whenever the job starts, it goes on from the last
# checkpoint:
#
#   sbatch slurm-array.sh train transformer train --pairs pairs.tsv --out run
set -euo pipefail

usage() {
    echo "usage: ${0##*/} shard INPUT FOLDER COMMAND [ARGUMENT…]" >&2
    echo "       ${0##*/} train COMMAND [ARGUMENT…]" >&2
    exit 2
}

shard() {
    local input=$1 folder=${2%/} index shards part
    shift 2
    index=${SLURM_ARRAY_TASK_ID:?this is no task of an array: sbatch --array=0-7}
    shards=${SHARDS:-$SLURM_ARRAY_TASK_COUNT}
    if [[ -z ${SHARDS-} ]] && ((SLURM_ARRAY_TASK_MIN != 0 || SLURM_ARRAY_TASK_MAX != shards - 1)); then
        echo "${0##*/}: shards are counted from 0 and none is left out: --array=0-7, or SHARDS says how many there are" >&2
        exit 2
    fi
    # A shard cannot go on later, so it may use the last two minutes too.
    trap '' USR1
    mkdir -p -- "$folder"
    part=$(printf '%s/part-%05d-of-%05d' "$folder" "$index" "$shards")
    # --out writes a file that appears when it is whole.
    srun wordmill "$@" --shard "$index/$shards" --threads "${SLURM_CPUS_PER_TASK:-1}" --out "$part" -- "$input"
}

# Trains until the end or until wordmill is told to stop, and then queues the job again. If this script too gets SIGTERM, that
# is Slurm's affair: it comes with scancel, which `scontrol requeue` would undo, or with a preemption without grace, after
# which Slurm requeues by itself.
train() {
    local child status=0 last=0 ended=''
    srun wordmill "$@" --resume --threads "${SLURM_CPUS_PER_TASK:-1}" &
    child=$!
    # To wordmill past srun, which would kill it if it got SIGTERM; a signal that is named does not cancel the job.
    trap 'scancel --signal=TERM "$SLURM_JOB_ID"' USR1
    trap 'ended=yes' TERM
    # bash hears signals while it waits, not while a command runs. A signal ends `wait`, not the command.
    while wait "$child" || status=$?; kill -0 "$child" 2> /dev/null; do
        status=0
    done
    # It may have ended while a signal was seen to, which is all that `wait` has told then: bash still knows its status.
    wait "$child" 2> /dev/null || last=$?
    ((last == 127)) || status=$last
    if [[ $status == 143 && -z $ended ]]; then
        scontrol requeue "$SLURM_JOB_ID"
    fi
    return "$status"
}

case ${1-} in
    shard) (($# >= 4)) || usage ;;
    train) (($# >= 2)) || usage ;;
    *) usage ;;
esac
"$@"
