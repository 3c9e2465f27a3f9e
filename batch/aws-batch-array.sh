#!/usr/bin/env bash
# Runs a wordmill command as an array job of AWS Batch, a shard in each child, and puts the parts together:
#
#   aws-batch-array.sh shard INPUT FOLDER COMMAND [ARGUMENT…]    child I of N writes FOLDER/part-0000I-of-0000N
#   aws-batch-array.sh gather merge|lines N FOLDER OUTPUT        the whole, as gather.sh says, which must be on the path
#
# INPUT, FOLDER and OUTPUT are s3:// addresses, read and written by the AWS command line, or paths of a file system that all
# children share. A child that fails writes no part, and a child that runs again writes the same part again.
#
# The image is `docker build --target aws -f batch/Dockerfile .`, pushed to ECR. Two job definitions, for
# `aws batch register-job-definition --cli-input-json file://…`; the job role must be allowed s3:GetObject, s3:PutObject and
# s3:ListBucket:
#
#   {"jobDefinitionName": "wordmill-shard", "type": "container",
#    "retryStrategy": {"attempts": 3, "evaluateOnExit": [
#      {"onStatusReason": "Host EC2*", "action": "RETRY"}, {"onReason": "*", "action": "EXIT"}]},
#    "containerProperties": {
#      "image": "ACCOUNT.dkr.ecr.REGION.amazonaws.com/wordmill:aws", "jobRoleArn": "arn:aws:iam::ACCOUNT:role/wordmill",
#      "resourceRequirements": [{"type": "VCPU", "value": "4"}, {"type": "MEMORY", "value": "4096"}],
#      "linuxParameters": {"initProcessEnabled": true},
#      "command": ["shard", "s3://BUCKET/pages.txt.gz", "s3://BUCKET/parts", "bow", "--counts"]}}
#
#   the same as "wordmill-gather", with "command": ["gather", "merge", "8", "s3://BUCKET/parts", "s3://BUCKET/counts.tsv"]
#
# The first line of evaluateOnExit is for spot instances that are taken back; an error of wordmill's is one the next time
# too. initProcessEnabled lets SIGTERM end the script, which as process 1 would not hear it. To run both:
#
#   id=$(aws batch submit-job --job-name shards --job-queue QUEUE --job-definition wordmill-shard \
#       --array-properties size=8 --query jobId --output text)
#   aws batch submit-job --job-name gather --job-queue QUEUE --job-definition wordmill-gather --depends-on jobId="$id"
set -euo pipefail

usage() {
    echo "usage: ${0##*/} shard INPUT FOLDER COMMAND [ARGUMENT…]" >&2
    echo "       ${0##*/} gather merge|lines N FOLDER OUTPUT" >&2
    exit 2
}

# Writes what INPUT holds: of S3 as it comes, without a copy on the disk.
read_from() {
    case $1 in
        s3://*) aws s3 cp --only-show-errors "$1" - ;;
        *) cat -- "$1" ;;
    esac
}

# Stores a whole file under its final name. An object of S3 appears when all of it is there, and so does a file that is
# renamed.
store() {
    case $2 in
        s3://*) aws s3 cp --only-show-errors "$1" "$2" ;;
        *)
            mkdir -p -- "$(dirname -- "$2")"
            cp -- "$1" "$2.$$"
            mv -- "$2.$$" "$2"
            ;;
    esac
}

shard() {
    local input=$1 folder=${2%/} index shards
    shift 2
    index=${AWS_BATCH_JOB_ARRAY_INDEX:?this is not a child of an array job}
    shards=${AWS_BATCH_JOB_ARRAY_SIZE:?this is not a child of an array job}
    # Not straight to S3: `aws s3 cp - s3://…` would store what there is when wordmill fails.
    read_from "$input" | wordmill "$@" --shard "$index/$shards" > "$scratch/part"
    store "$scratch/part" "$(printf '%s/part-%05d-of-%05d' "$folder" "$index" "$shards")"
}

gather() {
    local how=$1 shards=$2 folder=${3%/} output=$4
    if [[ $folder == s3://* ]]; then
        aws s3 cp --only-show-errors --recursive "$folder/" "$scratch" \
            --exclude '*' --include "part-?????-of-$(printf '%05d' "$shards")"
        folder=$scratch
    fi
    gather.sh "$how" "$shards" "$folder" "$scratch/whole"
    store "$scratch/whole" "$output"
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
case ${1-} in
    shard) (($# >= 4)) || usage ;;
    gather) (($# == 5)) || usage ;;
    *) usage ;;
esac
"$@"
