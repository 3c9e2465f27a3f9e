#!/usr/bin/env bash
# User data of an EC2 instance that does one job: it installs wordmill, gets the data, runs, stores the results, and shuts
# the instance down. Fill in the first six variables and pass the file to `aws ec2 run-instances`, spot or not:
#
#   aws ec2 run-instances --image-id … --instance-type c7i.2xlarge --iam-instance-profile Name=… \
#       --instance-initiated-shutdown-behavior terminate --user-data file://ec2-user-data.sh \
#       --instance-market-options MarketType=spot
#
# The image must have systemd, curl and the AWS command line, as Amazon Linux does; the instance's profile must be allowed to
# read and write the bucket. With `terminate` the end of the job is the end of the costs.
#
# When a spot instance is taken back, spot-watch.sh sends SIGTERM, the trainer writes a checkpoint, and that is stored. The
# same user data on another instance goes on from there. Everything that is said is in STORE/log.txt, and STORE/status has
# the status of the command, last of all: 0 done, 143 stopped by SIGTERM, others failed; before that it says `running`.
set -euo pipefail

# Where the binary and spot-watch.sh are: s3:// addresses or paths.
BINARY=${BINARY-s3://BUCKET/bin/wordmill}
SPOT_WATCH=${SPOT_WATCH-s3://BUCKET/bin/spot-watch.sh}
# Folder of the data, and the folder that the results go to; what is in it already is fetched first.
DATA=${DATA-s3://BUCKET/data}
STORE=${STORE-s3://BUCKET/runs/1}
# One command, run by bash in a folder that has the data in data/. Results belong in results/.
COMMAND=${COMMAND-wordmill transformer train --pairs data/pairs.tsv --out results/run --resume --log json}
# Seconds from SIGTERM to SIGKILL when the unit is stopped, as by `systemctl stop wordmill`.
STOP_SECONDS=${STOP_SECONDS-100}

# Where things are put on the instance, and how it ends.
BIN=${BIN-/usr/local/bin}
WORK=${WORK-/var/lib/wordmill}
SHUTDOWN=${SHUTDOWN-shutdown -h now}

# cloud-init runs user data without a home, which the AWS command line looks for.
export HOME=${HOME-/root}

# Copies a file, or a folder with all that is in it. An object of S3 that is half sent is not stored.
copy() {
    case $1$2 in
        *s3://*) aws s3 cp --only-show-errors "$@" ;;
        *) mkdir -p "$(dirname "$2")" && cp "$1" "$2" ;;
    esac
}
copy_folder() {
    case $1$2 in
        *s3://*) aws s3 sync --only-show-errors "$@" ;;
        *) mkdir -p "$2" && { [[ ! -d $1 ]] || cp -R "$1/." "$2"; } ;;
    esac
}

prepare() {
    mkdir -p "$BIN" "$WORK/data" "$WORK/results"
    copy "$BINARY" "$BIN/wordmill"
    copy "$SPOT_WATCH" "$BIN/spot-watch.sh"
    chmod +x "$BIN/wordmill" "$BIN/spot-watch.sh"
    copy_folder "$DATA" "$WORK/data"
    copy_folder "$STORE" "$WORK/results"
    say_status running
}

# A transient unit: systemd-run waits for it and has its status. `exec` makes the command the unit's main process, with the
# number that spot-watch.sh was given; mixed, since SIGTERM is for that process, and SIGKILL later for what is left.
run() {
    systemd-run --unit=wordmill --wait --collect --quiet --working-directory="$WORK" \
        --property=KillMode=mixed --property=TimeoutStopSec="$STOP_SECONDS" \
        --property=StandardOutput=append:"$WORK/results/log.txt" \
        --property=StandardError=append:"$WORK/results/log.txt" \
        --setenv=PATH="$BIN:$PATH" --setenv=HOME="$HOME" \
        bash -c "spot-watch.sh \$\$ & exec $COMMAND"
}

say_status() {
    echo "$1" > "$WORK/results/status"
    copy "$WORK/results/status" "$STORE/status"
}

# Whatever happens, what there is is stored and the instance ends. last.json names the checkpoint to go on from, so it goes
# when all checkpoints are there: two minutes may end in the middle of this.
finish() {
    local status=$?
    if copy_folder "$WORK/results" "$STORE" --exclude status --exclude '*last.json' \
        && copy_folder "$WORK/results" "$STORE" --exclude status; then
        say_status "$status" || true
    fi
    $SHUTDOWN
}
trap finish EXIT

prepare
run
