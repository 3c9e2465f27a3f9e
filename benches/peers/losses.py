#!/usr/bin/env python3
"""Ten losses of nmt_ref.py's models from weights that a formula gives: what src/translate/transformer/tests.rs and
src/translate/recurrent/tests.rs compare with.

    python losses.py PATH/TO/nmt_ref.py transformer|luong|bahdanau

wordmill's recurrent models have biases where queries and keys are made, and `luong` maps the queries, not the keys: so
do the reference's here.
"""

import math
import sys

import torch
import torch.nn as nn

path, kind = sys.argv[1:3]
sys.argv = ["nmt_ref.py", "prep"]
source = open(path, encoding="utf8").read().split("\np = argparse")[0]
ref = {}
exec(compile(source, path, "exec"), ref)


def transformer():
    """The model, and its tensors in wordmill's order."""
    dim = 8
    model = ref["Transformer"](11, dim, 1, 2, 12, dropout=0.0)
    model.dec.append(ref["Layer"](dim, 2, 12, 0.0, True))
    names = ["emb.weight"]
    for side, i, crosses in (("enc", 0, False), ("dec", 0, True), ("dec", 1, True)):
        own = ["sa.qkv.weight", "sa.qkv.bias", "sa.o.weight", "sa.o.bias", "n1.weight", "n1.bias"]
        cross = ["ca.q.weight", "ca.q.bias", "ca.kv.weight", "ca.kv.bias", "ca.o.weight", "ca.o.bias", "n2.weight", "n2.bias"]
        last = ["f1.weight", "f1.bias", "f2.weight", "f2.bias", "n3.weight", "n3.bias"]
        names += [f"{side}.{i}.{name}" for name in own + (cross if crosses else []) + last]
    parameters = dict(model.named_parameters())
    assert set(names) == set(parameters)
    return model, [parameters[name].data for name in names]


def recurrent():
    d, e = 6, 5

    class Model(ref["RNN"]):
        def __init__(self):
            super().__init__(11, d, e, 1, 0.0, kind)
            self.query = nn.Linear(d, d)
            if kind == "luong":
                self.wk = nn.Identity()
            else:
                self.wk, self.wq = nn.Linear(d, d), self.query

        def att(self, q, k, mem, m):
            return super().att(self.query(q) if kind == "luong" else q, k, mem, m)

    model = Model()
    lstm = lambda module, end="": [
        getattr(module, f"{name}{end}").data for name in ("weight_ih", "bias_ih", "weight_hh", "bias_hh")
    ]
    both = lambda layer: [layer.weight.data, layer.bias.data]
    tensors = [model.emb.weight.data, *lstm(model.enc, "_l0"), *lstm(model.enc, "_l0_reverse"), *both(model.bridge)]
    if kind == "luong":
        tensors += [*lstm(model.dec, "_l0"), *both(model.query)]
    else:
        # The cell reads embedding and context in one matrix, of which wordmill has two.
        input, *rest = lstm(model.cells[0])
        tensors += [input[:, :e], *rest, input[:, e:], *both(model.query), model.v.weight.data, *both(model.wk)]
    return model, tensors + both(model.comb)


model, tensors = transformer() if kind == "transformer" else recurrent()
at = 0
for tensor in tensors:
    values = [0.8 * math.sin(1.7 * (at + i) + 0.4) for i in range(tensor.numel())]
    tensor.copy_(torch.tensor(values, dtype=torch.float32).view(tensor.shape))
    at += tensor.numel()
assert at == sum(p.numel() for p in model.parameters())

last = [9, 10, 4, 5] if kind == "transformer" else [4, 10, 4, 5]
pairs = [([5, 6, 7], [4, 8]), ([8], [5, 4, 6, 3]), (last, [7])]
src = ref["padded"]([s + [2] for s, _ in pairs], "cpu")
tgt = ref["padded"]([t + [2] for _, t in pairs], "cpu")
optimizer = torch.optim.Adam(model.parameters(), lr=0.01, betas=(0.9, 0.98), eps=1e-9)
for _ in range(10):
    loss, tokens = ref["loss_fn"](model, src, tgt, 0.1, False)
    (loss / tokens).backward()
    optimizer.step()
    optimizer.zero_grad()
    print(f"{loss.item() / tokens.item():.7f},", end=" ")
print()
