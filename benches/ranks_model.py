#!/usr/bin/env python3
"""How long a step of N machines takes: benches/ranks_model.py

    T(N) = (1 + f) · C + max(0, R(P_layers) − B) + R(P_rest)
    R(P) = 2 (N − 1)/N · 4 P / β + 2 (N − 1) α          a ring all-reduce of P gradients in f32

C is the time of one machine for its part of the batch, of which the way back takes two thirds: while it goes on, layers are
summed as they become complete, all but the last within B = C/3. The tables of words come behind. f is what two processes lose
to parts of unequal length and to the thread that sums, measured with benches/ranks.sh over shared memory. β and α are the
bandwidth that a flow reaches and the time of a message.

Assumptions: parts stay as large when machines are added (the batch grows with N); one flow each way at a time; no other
traffic; no rank is slower than others. Not in it: that every rank reads and cuts the whole batch, and what a larger batch is
worth to the model.
"""

BANDWIDTH = 25e9 / 8 * 0.8
MESSAGE = 50e-6
# 0.275 s with two processes, 0.248 s with half of the batch in one.
LOST = 0.275 / 0.248 - 1
# Parameters of layers, and all others: preset, vocabulary of 4,000.
MODELS = {"tiny": (1_325_056, 512_000), "small": (5_529_600, 1_024_000), "base": (44_138_496, 2_048_000)}
# Seconds of a machine for its part of 4,096 tokens with padding: on two cores as measured (benches/README.md), on sixteen an
# eighth of that; what a GPU needs is a guess.
COMPUTE = {
    "tiny": {"2 cores": 0.26, "16 cores": 0.26 / 8},
    "base": {"2 cores": 5.4, "16 cores": 5.4 / 8, "a GPU": 0.05},
}


def ring(parameters, machines):
    return 2 * (machines - 1) / machines * 4 * parameters / BANDWIDTH + 2 * (machines - 1) * MESSAGE


def step(model, compute, machines):
    layers, rest = MODELS[model]
    if machines == 1:
        return compute
    return (1 + LOST) * compute + max(0.0, ring(layers, machines) - compute / 3) + ring(rest, machines)


print("| model | machine | step of one | machines | step | speed-up | efficiency |")
print("|---|---|---|---|---|---|---|")
for model, kinds in COMPUTE.items():
    for kind, compute in kinds.items():
        for machines in (2, 8, 64):
            seconds = step(model, compute, machines)
            gain = machines * compute / seconds
            print(
                f"| {model} | {kind} | {1000 * compute:.0f} ms | {machines} | {1000 * seconds:.0f} ms "
                f"| {gain:.1f} | {100 * gain / machines:.0f} % |"
            )
