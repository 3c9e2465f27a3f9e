#!/usr/bin/env python3
"""What becomes of long sequences: how much each kind of model gets right, by length.

    lengths.py made WORDMILL FOLDER [STEPS]          on made-up tasks, learned from sequences of up to 40 tokens
    lengths.py buckets WORDMILL SOURCE REFERENCE HYPOTHESIS        BLEU of translations, by words of the source

`made` trains without attention, with Luong's and Bahdanau's and a Transformer, STEPS (4000) on the same batches, on two
tasks: digits that are to be copied, and numbers said digit by digit (`three one four`) that are to be written (314). It
prints the share of 200 new sequences of each length that come out right, and writes it to FOLDER/lengths.svg.
"""
import pathlib
import random
import subprocess
import sys

LENGTHS = [5, 10, 20, 30, 40, 50, 60, 80, 100]
EACH = 200
WORDS = "zero one two three four five six seven eight nine".split()
MODELS = {
    "none": "seq2seq train --attention none",
    "Luong": "seq2seq train --attention general",
    "Bahdanau": "seq2seq train --attention bahdanau",
    "Transformer": "transformer train",
}
TASKS = {"copy": lambda digits: " ".join(digits), "number words": lambda digits: " ".join(WORDS[int(d)] for d in digits)}
COLOURS = ["#888888", "#d95f02", "#1b9e77", "#7570b3"]


def digits(rng, n):
    return "".join(rng.choice("0123456789") for _ in range(n))


def write(path, task, sequences):
    lines = (f"{TASKS[task](s)}\t{' '.join(s)}\n" for s in sequences)
    path.write_text("".join(lines), encoding="utf8")


def run(wordmill, command, text=None):
    line = [wordmill, *command.split()]
    return subprocess.run(line, input=text, stdout=subprocess.PIPE, check=True, encoding="utf8").stdout


def made(wordmill, folder, steps=4000):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    shares = {}
    for task in TASKS:
        rng = random.Random(task)
        train, valid = folder / "train.tsv", folder / "valid.tsv"
        write(train, task, [digits(rng, rng.randint(1, 40)) for _ in range(30000)])
        write(valid, task, [digits(rng, rng.randint(1, 40)) for _ in range(300)])
        tests = {n: [digits(rng, n) for _ in range(EACH)] for n in LENGTHS}
        for name, command in MODELS.items():
            out = folder / f"{task.split()[0]}-{name}"
            flags = f"--pairs {train} --valid {valid} --metric exact --vocab-size 400 --batch-tokens 2048 --max-steps {steps} -q --out {out}"
            shape = "--preset tiny --lr 2e-3" if name == "Transformer" else "--dim 256 --embedding 64"
            run(wordmill, f"{command} {flags} {shape} --dropout 0.1")
            for n, sequences in tests.items():
                text = "".join(TASKS[task](s) + "\n" for s in sequences)
                kind = command.split()[0]
                found = run(wordmill, f"{kind} translate {out} --beam 1 --max-tokens 1000", text).splitlines()
                right = sum(line == " ".join(s) for line, s in zip(found, sequences, strict=True))
                shares[task, name, n] = 100 * right / EACH
            print(task, name, *(f"{n}:{shares[task, name, n]:.1f}" for n in LENGTHS), flush=True)
    (folder / "lengths.svg").write_text(picture(shares), encoding="utf8")
    print("\n| task | model |", " | ".join(map(str, LENGTHS)), "|\n|---|---|" + "---|" * len(LENGTHS))
    for task in TASKS:
        for name in MODELS:
            print(f"| {task} | {name} |", " | ".join(f"{shares[task, name, n]:g}" for n in LENGTHS), "|")


def picture(shares):
    width, height, left, top = 360, 220, 50, 40
    x = lambda n: left + width * n / LENGTHS[-1]
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * (width + 80)}" height="{height + 100}" font-family="sans-serif" font-size="12">',
           '<rect width="100%" height="100%" fill="white"/>']
    for i, task in enumerate(TASKS):
        out.append(f'<g transform="translate({i * (width + 70)} 0)"><text x="{left}" y="24" font-size="14">{task}: right, of 100</text>')
        for share in range(0, 101, 25):
            y = top + height * (1 - share / 100)
            out.append(f'<path d="M{left} {y}h{width}" stroke="#ddd"/><text x="{left - 6}" y="{y + 4}" text-anchor="end">{share}</text>')
        for n in LENGTHS[1:]:
            out.append(f'<text x="{x(n)}" y="{top + height + 18}" text-anchor="middle">{n}</text>')
        out.append(f'<path d="M{x(40)} {top}v{height}" stroke="#aaa" stroke-dasharray="4 3"/>')
        for name, colour in zip(MODELS, COLOURS):
            points = " ".join(f"{x(n):.1f},{top + height * (1 - shares[task, name, n] / 100):.1f}" for n in LENGTHS)
            out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out.append("</g>")
    for i, (name, colour) in enumerate(zip(MODELS, COLOURS)):
        out.append(f'<text x="{left + i * 130}" y="{top + height + 44}" fill="{colour}">{name}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"


def buckets(wordmill, source, reference, hypothesis):
    files = [pathlib.Path(path).read_text(encoding="utf8").splitlines() for path in (source, reference, hypothesis)]
    rows = list(zip(*files, strict=True))
    for name, least, most in (("up to 8", 0, 8), ("9 to 15", 9, 15), ("more", 16, 10**9)):
        part = [row for row in rows if least <= len(row[0].split()) <= most]
        own = pathlib.Path(hypothesis).with_suffix(".bucket")
        own.write_text("".join(row[1] + "\n" for row in part), encoding="utf8")
        text = "".join(row[2] + "\n" for row in part)
        print(f"{name}: {len(part)} lines", run(wordmill, f"bleu --ref {own} --metrics bleu --confidence", text), sep="\n")
        own.unlink()


if __name__ == "__main__":
    {"made": made, "buckets": buckets}[sys.argv[1]](*sys.argv[2:])
