#!/usr/bin/env bash
# Sends SIGTERM to a process as soon as EC2 gives notice that it takes the spot instance back, two minutes ahead:
#
#   wordmill transformer train … --resume --out run & spot-watch.sh $!
#
# The trainers of wordmill write a checkpoint then and end with status 143; --resume goes on from there. The watch ends when
# the process does. It asks version 2 of the instance metadata service, which in a container takes a hop limit of 2:
#
#   aws ec2 modify-instance-metadata-options --instance-id i-… --http-put-response-hop-limit 2
#
# | variable | what it says |
# |---|---|
# | AWS_EC2_METADATA_SERVICE_ENDPOINT | where the service is [default: AWS_METADATA_ENDPOINT, or http://169.254.169.254] |
# | SPOT_WATCH_SECONDS | time between two questions [default: 5] |
set -euo pipefail

if (($# != 1)) || [[ ! $1 =~ ^[1-9][0-9]*$ ]]; then
    echo "usage: ${0##*/} PID" >&2
    exit 2
fi
pid=$1
endpoint=${AWS_EC2_METADATA_SERVICE_ENDPOINT:-${AWS_METADATA_ENDPOINT:-http://169.254.169.254}}
endpoint=${endpoint%/}
seconds=${SPOT_WATCH_SECONDS:-5}
token=''

# Prints an answer's body and then, on a line of its own, its status; 000 where there was no answer. The service is on this
# machine: it is not asked through a proxy, and it answers at once or not at all.
ask() {
    curl --silent --noproxy '*' --max-time 2 --write-out '\n%{http_code}' "$@" || true
}

# Succeeds if there is a notice. Whatever fails is tried again at the next poll.
noticed() {
    local answer
    if [[ -z $token ]]; then
        answer=$(ask -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 21600' "$endpoint/latest/api/token")
        [[ $answer == *$'\n'200 ]] || return 1
        token=${answer%$'\n'*}
    fi
    answer=$(ask -H "X-aws-ec2-metadata-token: $token" "$endpoint/latest/meta-data/spot/instance-action")
    case ${answer##*$'\n'} in
        200)
            echo "${0##*/}: ${answer%$'\n'*}: SIGTERM to $pid" >&2
            return 0
            ;;
        # The token is good for six hours.
        401) token='' ;;
    esac
    # 404 is the usual answer: there is no notice.
    return 1
}

# A process that has ended is there as a zombie until somebody asks how.
running() {
    grep -qs '^State:[[:space:]]*[^Z[:space:]]' "/proc/$pid/status"
}

while running; do
    if noticed; then
        # One signal: a trainer takes a second one for the wish to end at once.
        kill -TERM "$pid" || ! running
        exit
    fi
    sleep "$seconds"
done
