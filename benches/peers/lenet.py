#!/usr/bin/env python3
"""Turns the LeNet of gan_ref.py (lenet.pt) into a network for `wordmill gan eval --features`, or makes samples to be scored.

    python lenet.py convert lenet.pt features.safetensors
    python lenet.py images IDX.gz FROM TO FOLDER             # images FROM … TO − 1 of an IDX file as PNG files
    python lenet.py score gan_ref.py lenet.pt REAL MADE      # the Fréchet and kernel distances of two folders, as gan_ref.py has them

Needs torch, numpy, and pillow for folders.
"""
import glob
import gzip
import json
import struct
import sys

import numpy as np


def write(path, tensors):
    """A file of safetensors: the length of the header, the header, the values."""
    header, at = {}, 0
    for name, values in tensors.items():
        end = at + 4 * values.size
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for values in tensors.values():
            file.write(np.ascontiguousarray(values, "<f4").tobytes())


def convert(source, target):
    import torch

    state = {name: value.numpy() for name, value in torch.load(source).items()}
    window = lambda w: w.transpose(0, 2, 3, 1).reshape(w.shape[0], -1)
    dense = state["f.7.weight"].reshape(128, 64, 4, 4).transpose(0, 2, 3, 1).reshape(128, -1)
    write(target, {
        "windows.0.weight": window(state["f.0.weight"]), "windows.0.bias": state["f.0.bias"],
        "windows.1.weight": window(state["f.3.weight"]), "windows.1.bias": state["f.3.bias"],
        "features.weight": dense, "features.bias": state["f.7.bias"], "classes.weight": state["o.weight"],
    })


def images(source, first, last, folder):
    import os

    from PIL import Image

    data = gzip.open(source).read()
    pixels = np.frombuffer(data, np.uint8, offset=16).reshape(-1, 28, 28)
    os.makedirs(folder, exist_ok=True)
    for i in range(int(first), int(last)):
        Image.fromarray(pixels[i]).save(f"{folder}/{i:06}.png")


def score(reference, lenet, real, made):
    import torch
    from PIL import Image

    source = open(reference).read().split("\np = argparse")[0]
    names = {}
    exec(source, names)
    network = names["LeNet"]()
    network.load_state_dict(torch.load(lenet))

    def features(folder):
        files = sorted(glob.glob(f"{folder}/*.png"))
        pixels = np.stack([np.asarray(Image.open(file).convert("L")) for file in files])
        return names["feats"](network.eval(), torch.from_numpy(pixels).float().div(127.5).sub(1)[:, None])

    a, b = features(real), features(made)
    print(json.dumps({"frechet": names["fid"](a, b), "kernel": names["kid"](a, b), **names["prdc"](a[:5000], b[:5000])}))


{"convert": convert, "images": images, "score": score}[sys.argv[1]](*sys.argv[2:])
