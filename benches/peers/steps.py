#!/usr/bin/env python3
"""Training steps beside nmt_ref.py on the same batches, in turns: target tokens a second, losses, memory.

    python steps.py NMT_REF WORK BENCH [MODEL [STEPS [ROUNDS]]]

NMT_REF is nmt_ref.py, WORK the folder that its `prep` filled, BENCH the built bench `steps` of wordmill
(`cargo bench --bench steps --no-run` names it). MODEL is tiny, small, base, lstm1, lstm2 or lstm1b. The batches of nmt_ref.py's first epoch are
written to WORK/batches.json, which BENCH reads. Memory is the peak minus what was there before the first step.
"""

import json
import os
import resource
import subprocess
import sys
import time

nmt_ref, work, bench = sys.argv[1:4]
model = sys.argv[4] if len(sys.argv) > 4 else "tiny"
steps = int(sys.argv[5]) if len(sys.argv) > 5 else 30
rounds = int(sys.argv[6]) if len(sys.argv) > 6 else 2
budget = 2048 if model == "base" else 4096
WARM = 3


RECURRENT = {"lstm1": (1, "luong"), "lstm2": (2, "luong"), "lstm1b": (1, "bahdanau")}


def make(ref):
    if model in RECURRENT:
        layers, attention = RECURRENT[model]
        return ref["RNN"](10000, layers=layers, attn=attention, dropout=0.3)
    return ref["Transformer"](10000, dropout=0.1, **ref["CFG"][model])


def reference():
    """Runs in a process of its own."""
    source = open(nmt_ref, encoding="utf8").read().split("\np = argparse")[0]
    ref = {}
    exec(compile(source, nmt_ref, "exec"), ref)
    torch = ref["torch"]
    torch.set_num_threads(2)
    torch.set_flush_denormal(True)
    torch.manual_seed(1)
    data = json.load(open(f"{work}/data.json"))
    pairs = list(zip(*data["train"]))
    order = ref["batches"](pairs, budget, True, 2)
    json.dump(order, open(f"{work}/batches.json", "w"))
    net = make(ref).train()
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3, betas=(0.9, 0.98), eps=1e-9, fused=True)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tokens, losses, start = 0, [], time.time()
    for step, rows in enumerate(order[: WARM + steps], 1):
        if step == WARM + 1:
            tokens, start = 0, time.time()
        src = ref["padded"]([pairs[i][0] for i in rows], "cpu")
        tgt = ref["padded"]([pairs[i][1] for i in rows], "cpu")
        for group in optimizer.param_groups:
            group["lr"] = 5e-3 * step / 1000
        loss, n = ref["loss_fn"](net, src, tgt, 0.1, False)
        (loss / n).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        tokens += int(n)
        losses.append(loss.item() / int(n))
    seconds = time.time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"PyTorch {model}: {tokens / seconds:.0f} target tokens/s, loss {losses[-1]:.3f}, "
          f"mean of the last five {sum(losses[-5:]) / 5:.3f}, {(peak - before) / 1024:.0f} MiB")


if os.environ.get("STEPS_REFERENCE"):
    reference()
    sys.exit()
for _ in range(rounds):
    subprocess.run([sys.executable, *sys.argv], env={**os.environ, "STEPS_REFERENCE": "1"}, check=True)
    own = {**os.environ, "WORDMILL_IDS": f"{work}/data.json", "WORDMILL_BATCHES": f"{work}/batches.json"}
    subprocess.run([bench, model, "2", str(steps)], env=own, check=True)
