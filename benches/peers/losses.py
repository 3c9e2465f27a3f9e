#!/usr/bin/env python3
"""Ten losses of nmt_ref.py's Transformer from weights that a formula gives: what
src/translate/transformer/tests.rs compares with.

    python losses.py PATH/TO/nmt_ref.py
"""

import math
import sys

import torch

sys.argv, path = ["nmt_ref.py", "prep"], sys.argv[1]
source = open(path, encoding="utf8").read().split("\np = argparse")[0]
ref = {}
exec(compile(source, path, "exec"), ref)

DIM = 8
model = ref["Transformer"](11, DIM, 1, 2, 12, dropout=0.0)
model.dec.append(ref["Layer"](DIM, 2, 12, 0.0, True))
names = ["emb.weight"]
for side, i, crosses in (("enc", 0, False), ("dec", 0, True), ("dec", 1, True)):
    own = ["sa.qkv.weight", "sa.qkv.bias", "sa.o.weight", "sa.o.bias", "n1.weight", "n1.bias"]
    cross = ["ca.q.weight", "ca.q.bias", "ca.kv.weight", "ca.kv.bias", "ca.o.weight", "ca.o.bias", "n2.weight", "n2.bias"]
    last = ["f1.weight", "f1.bias", "f2.weight", "f2.bias", "n3.weight", "n3.bias"]
    names += [f"{side}.{i}.{name}" for name in own + (cross if crosses else []) + last]
parameters = dict(model.named_parameters())
assert set(names) == set(parameters)
at = 0
for name in names:
    p = parameters[name]
    values = [0.8 * math.sin(1.7 * (at + i) + 0.4) for i in range(p.numel())]
    p.data = torch.tensor(values, dtype=torch.float32).view(p.shape)
    at += p.numel()

pairs = [([5, 6, 7], [4, 8]), ([8], [5, 4, 6, 3]), ([9, 10, 4, 5], [7])]
src = ref["padded"]([s + [2] for s, _ in pairs], "cpu")
tgt = ref["padded"]([t + [2] for _, t in pairs], "cpu")
optimizer = torch.optim.Adam(model.parameters(), lr=0.01, betas=(0.9, 0.98), eps=1e-9)
for _ in range(10):
    loss, tokens = ref["loss_fn"](model, src, tgt, 0.1, False)
    (loss / tokens).backward()
    optimizer.step()
    optimizer.zero_grad()
    print(f"{loss.item() / tokens.item():.7f},")
