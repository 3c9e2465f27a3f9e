#!/usr/bin/env python3
"""What the reference gan_ref.py measures of two sets of features, as a line of JSON: fid, kid, prdc, swd.

    python distances.py PATH/TO/gan_ref.py REAL MADE [--dim D] [--directions FILE] [--neighbours 5000]

REAL and MADE are .npy arrays or raw little-endian f32, of which --dim says how many values a row has. --directions
writes the directions of swd, raw f64, a direction after the other: wordmill draws its own, so only with these can the two
be compared to the last digit; so can kid only where a set has 1,000 samples, all of which are then drawn. Precision and its
kin are taken of the first --neighbours samples. Sets of fewer than 1,000 samples give kid of all of them.
"""

import argparse
import ast
import json
import time

import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("reference")
parser.add_argument("real")
parser.add_argument("made")
parser.add_argument("--dim", type=int)
parser.add_argument("--directions")
parser.add_argument("--neighbours", type=int, default=5000)
args = parser.parse_args()

# Only the functions that measure: the program itself needs PyTorch.
source = ast.parse(open(args.reference, encoding="utf8").read())
wanted = {"fid", "kid", "prdc", "swd"}
source.body = [node for node in source.body if isinstance(node, ast.FunctionDef) and node.name in wanted]
ref = {"np": np}
exec(compile(source, args.reference, "exec"), ref)


def read(path):
    rows = np.load(path) if path.endswith(".npy") else np.fromfile(path, "<f4").reshape(-1, args.dim)
    return rows.astype(np.float64)


real, made = read(args.real), read(args.made)
if args.directions:
    directions = np.random.RandomState(0).randn(real.shape[1], 128)
    (directions / np.linalg.norm(directions, axis=0)).T.astype("<f8").tofile(args.directions)
size = min(1000, len(real), len(made))
scores, seconds = {}, {}
for name, measure in {
    "fid": lambda: ref["fid"](real, made),
    "kid": lambda: ref["kid"](real, made, n=size),
    "prdc": lambda: ref["prdc"](real[: args.neighbours], made[: args.neighbours]),
    "swd": lambda: ref["swd"](real, made) if len(real) == len(made) else None,
}.items():
    started = time.perf_counter()
    scores[name] = measure()
    seconds[name] = round(time.perf_counter() - started, 3)
print(json.dumps({**scores, "seconds": seconds}))
