#!/usr/bin/env bash
# How much faster several processes train:
#
#   benches/ranks.sh WORDMILL SOURCE TARGET [PRESET]      a Transformer
#   benches/ranks.sh WORDMILL gan DATA                    adversarial networks
#
# WORDMILL is a release build with the feature mpi; SOURCE and TARGET are files of sentences, Multi30k's in
# benches/README.md; DATA is Fashion-MNIST there. Prints target tokens or samples a second, the median of the reports of 60
# steps, of
#   one process with one thread, and with two
#   two processes of one thread each: over shared memory, over TCP on the loopback, and over TCP between two network
#   namespaces, without and with a delay (root only; a delay needs the kernel's netem)
# What two processes take longer than one with half of the batch is lost.
set -euo pipefail
(($# >= 3)) || { sed -n 2,5p "$0"; exit 2; }
program=$1
if [[ $2 = gan ]]; then
    train=(gan train "$3") unit=samples size=--batch-size batch=64
else
    train=(transformer train --source "$2" --target "$3" --preset "${4-tiny}" --vocab-size 4000)
    unit=target_tokens size=--batch-tokens batch=4096
fi
work=$(mktemp -d)
trap 'rm -rf "$work"; for name in wordmillA wordmillB; do ip netns del $name 2>/dev/null || true; done' EXIT
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1

# A run of 60 steps by what is in front of the program; the batch may be another.
measure() { # NAME THREADS BATCH COMMAND...
    local name=$1 threads=$2 most=$3 out
    shift 3
    out=$work/$RANDOM
    "$@" "$program" "${train[@]}" --threads "$threads" "$size" "$most" --max-steps 60 --log-every 10 -q --out "$out"
    python3 - "$name" "$unit" "$out/log.jsonl" <<'PYTHON'
import json, statistics, sys
name, unit, log = sys.argv[1:]
reports = [event for event in map(json.loads, open(log)) if event["event"] == "report"]
# The first reports have what is not yet warm in them.
key = {"samples": "samples_per_second"}.get(unit, unit)
speed = statistics.median(report[key] for report in reports[2:])
print(f"{name:44} {speed:9.0f} {unit.replace('_', ' ')}/s")
PYTHON
}

two=(mpirun -n 2 --bind-to core)
measure "one process, one thread" 1 "$batch" taskset -c 0
measure "one process, one thread, half of the batch" 1 "$((batch / 2))" taskset -c 0
measure "one process, two threads" 2 "$batch"
measure "two processes, shared memory" 1 "$batch" "${two[@]}" --mca btl self,vader
measure "two processes, TCP on the loopback" 1 "$batch" "${two[@]}" --mca btl self,tcp

if [[ $(id -u) != 0 ]] || ! ip netns add wordmillA 2>/dev/null; then
    echo "two network namespaces: skipped, for they are not permitted"
    exit
fi
ip netns add wordmillB
ip link add wordmill0 netns wordmillA type veth peer name wordmill1 netns wordmillB
for end in "A 0" "B 1"; do
    read -r name number <<<"$end"
    ip -n wordmill"$name" addr add 10.77.0.$((number + 1))/24 dev wordmill"$number"
    ip -n wordmill"$name" link set wordmill"$number" up
    ip -n wordmill"$name" link set lo up
done
# Starts what mpirun wants on another host in that host's namespace.
cat >"$work/agent" <<'AGENT'
#!/usr/bin/env bash
host=$1
shift
[[ $host = 10.77.0.1 ]] && name=wordmillA || name=wordmillB
exec ip netns exec "$name" bash -c "$*"
AGENT
chmod +x "$work/agent"
between=(ip netns exec wordmillA mpirun -n 2 --host 10.77.0.1:1,10.77.0.2:1 --bind-to none --mca plm_rsh_agent "$work/agent"
    --mca btl self,tcp --mca btl_tcp_if_include 10.77.0.0/24 --mca oob_tcp_if_include 10.77.0.0/24)
measure "two processes, TCP between namespaces" 1 "$batch" "${between[@]}"
for delay in 0.1ms 1ms; do
    for end in "A 0" "B 1"; do
        read -r name number <<<"$end"
        if ! ip netns exec wordmill"$name" tc qdisc replace dev wordmill"$number" root netem delay $delay 2>/dev/null; then
            echo "a delay between namespaces: skipped, for this kernel has no netem"
            exit
        fi
    done
    measure "the same, $delay each way" 1 "$batch" "${between[@]}"
done
