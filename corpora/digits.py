#!/usr/bin/env python3
"""Writes digits/: 400 images of drawn digits, 28 x 28 pixels, and their labels, as IDX files. Needs numpy. Ours, free for all."""
import gzip
import math
import os
import struct

import numpy as np

ARC = lambda x, y, r, s, a, b: [(x + r * math.cos(t), y + s * math.sin(t)) for t in np.linspace(a * math.pi, b * math.pi, 12)]
# Strokes of each digit in a square of side 1, y downwards.
DIGITS = [
    [ARC(0.5, 0.5, 0.26, 0.4, 0, 2)],
    [[(0.36, 0.26), (0.54, 0.1), (0.54, 0.9)]],
    [ARC(0.5, 0.33, 0.25, 0.23, 1, 2.15) + [(0.25, 0.9), (0.76, 0.9)]],
    [ARC(0.48, 0.3, 0.22, 0.2, 1.1, 2.5), ARC(0.48, 0.7, 0.26, 0.2, 1.5, 2.9)],
    [[(0.62, 0.9), (0.62, 0.1), (0.22, 0.64), (0.78, 0.64)]],
    [[(0.72, 0.1), (0.32, 0.1), (0.29, 0.46)] + ARC(0.48, 0.65, 0.26, 0.25, 1.25, 2.85)],
    [[(0.64, 0.1)] + ARC(0.5, 0.65, 0.25, 0.25, 1.1, 3.1)],
    [[(0.24, 0.1), (0.76, 0.1), (0.42, 0.9)]],
    [ARC(0.5, 0.3, 0.2, 0.2, 0, 2), ARC(0.5, 0.7, 0.25, 0.2, 0, 2)],
    [ARC(0.5, 0.34, 0.24, 0.24, 0, 2), [(0.74, 0.34), (0.66, 0.9)]],
]


def draw(digit, random):
    """Turned, slanted, stretched and moved a little, with a pen of some width."""
    turn, slant = random.normal(0, 0.1), random.normal(0, 0.15)
    size, width = random.uniform(0.7, 0.9), random.uniform(0.035, 0.06)
    shift = random.normal(0, 0.03, 2)
    grid = (np.stack(np.meshgrid(np.arange(28), np.arange(28)), -1) + 0.5) / 28
    ink = np.zeros((28, 28))
    for stroke in DIGITS[digit]:
        points = np.array(stroke) - 0.5 + random.normal(0, 0.008, (len(stroke), 2))
        points[:, 0] += slant * points[:, 1]
        points = points @ np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]]) * size + 0.5 + shift
        for a, b in zip(points, points[1:]):
            along = np.clip(((grid - a) @ (b - a)) / max((b - a) @ (b - a), 1e-9), 0, 1)
            distance = np.linalg.norm(grid - a - along[..., None] * (b - a), axis=-1)
            ink = np.maximum(ink, np.clip((width - distance) * 28 + 0.5, 0, 1))
    return (ink * 255).round().astype(np.uint8)


def main():
    random = np.random.RandomState(1)
    labels = np.arange(400) % 10
    random.shuffle(labels)
    images = np.stack([draw(digit, random) for digit in labels])
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "digits")
    os.makedirs(folder, exist_ok=True)
    for name, kind, values in [("train-images-idx3", 3, images), ("train-labels-idx1", 1, labels.astype(np.uint8))]:
        header = struct.pack(">BBBB", 0, 0, 8, kind) + b"".join(struct.pack(">I", n) for n in values.shape)
        with open(os.path.join(folder, name + "-ubyte.gz"), "wb") as file:
            # No time in the header: the same bytes every time.
            file.write(gzip.compress(header + values.tobytes(), 9, mtime=0))


main()
