#!/usr/bin/env python3
"""`wordmill bleu` beside sacrebleu: the same scores, intervals and p-values, and at what speed.

    python benches/peers/bleu.py agree WORDMILL DATA
    python benches/peers/bleu.py significance WORDMILL DATA
    python benches/peers/bleu.py speed WORDMILL DATA [LINES]

`agree` scores, with every set of options below, systems on DATA/multi30k/test_2016_flickr.de: 20 corruptions of the
reference (words dropped, doubled, moved, reversed, put in), French and English in place of German, blank lines; then 200
corruptions of 50 lines each; lines of a few hundred words; random strings of marks, letters, digits and spaces of many
scripts. Scores must agree to 0.005. Then intervals and p-values of pairs of systems that differ a little; both programs draw
the same random numbers, so they must agree to 0.0001. `significance` does only these.

`speed` times both as whole programs with one metric, on LINES lines (default 1,000,000; sacrebleu on a tenth of them and
times ten, which counts its start ten times: 100,000 lines are too few) of corrupted training data. Needs sacrebleu.
"""

import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
import time

import sacrebleu
from sacrebleu.metrics import BLEU, CHRF, TER
from sacrebleu.significance import PairedTest

OPTIONS = [
    ("-m bleu", BLEU, {}),
    ("-m bleu -t intl", BLEU, dict(tokenize="intl")),
    ("-m bleu -t char", BLEU, dict(tokenize="char")),
    ("-m bleu -t none -l", BLEU, dict(tokenize="none", lowercase=True)),
    ("-m bleu --smooth floor", BLEU, dict(smooth_method="floor")),
    ("-m bleu --smooth add-k --smooth-value 0.5", BLEU, dict(smooth_method="add-k", smooth_value=0.5)),
    ("-m bleu --smooth none", BLEU, dict(smooth_method="none")),
    ("-m chrf", CHRF, {}),
    ("-m chrf --chrf-word-order 2", CHRF, dict(word_order=2)),
    ("-m chrf -l --chrf-whitespace --chrf-beta 3 --chrf-char-order 4", CHRF, dict(lowercase=True, whitespace=True, beta=3, char_order=4)),
    ("-m ter", TER, {}),
    ("-m ter --ter-case --ter-normalize", TER, dict(case_sensitive=True, normalized=True)),
    ("-m ter --ter-no-punct", TER, dict(no_punct=True)),
]

ALPHABET = list("abcABC   012..,,--'\"&;:!?()[]<>@$%/\\_") + list("éßİſ„“«»–—…。、！１二½€°×＋日本語にゅーよーくα\u00a0\u3000\u200b\x1c\t") + ["&quot;", "&lt;", "<skipped>", "'s "]


def corrupt(lines, seed, share):
    draw = random.Random(seed)
    vocabulary = " ".join(lines).split()
    out = []
    for line in lines:
        words = []
        for word in line.split():
            x = draw.random() / share
            if x < 1:
                continue
            if x < 2:
                words.append(word)
            elif x < 3:
                words.insert(draw.randrange(len(words) + 1), word)
                continue
            elif x < 4:
                word = word[::-1]
            elif x < 5:
                words.append(draw.choice(vocabulary))
            words.append(word)
        if draw.random() < share and len(words) > 6:
            cut = draw.randrange(len(words))
            words = words[cut:] + words[:cut]
        out.append(" ".join(words))
    return out


class Sets:
    def __init__(self, wordmill):
        self.wordmill = wordmill
        self.folder = tempfile.TemporaryDirectory()

    def write(self, lines):
        path = tempfile.mktemp(dir=self.folder.name)
        with open(path, "w", newline="") as file:
            file.writelines(line + "\n" for line in lines)
        return path

    def run(self, references, systems, flags):
        args = [self.wordmill, "bleu", self.write(systems[0]), *flags.split(), "--to", "json"]
        for reference in references:
            args += ["--ref", self.write(reference)]
        for system in systems[1:]:
            args += ["--against", self.write(system)]
        out = subprocess.run(args, check=True, capture_output=True, text=True).stdout
        return [json.loads(line) for line in out.splitlines()]


def flickr(data, code):
    return open(f"{data}/multi30k/test_2016_flickr.{code}", newline="\n").read().rstrip("\n").split("\n")


def agree(wordmill, data):
    sets = Sets(wordmill)
    german = flickr(data, "de")
    cases = [("corrupted", [german], corrupt(german, i, 0.01 + 0.005 * i)) for i in range(20)]
    cases += [("other language", [german], flickr(data, code)) for code in ("fr", "en", "cs")]
    cases += [("two references", [german, corrupt(german, 99, 0.1)], corrupt(german, 98, 0.1))]
    draw = random.Random(1)
    blank = [line if draw.random() < 0.7 else "" for line in german]
    cases += [("blank", [german], blank), ("blank reference", [blank], german), ("identical", [german], german)]
    for i in range(200):
        part = draw.sample(german, 50)
        cases.append(("200 corrupted", [part], corrupt(part, 1000 + i, draw.uniform(0.0, 0.2))))
    long = [" ".join(german[i : i + n]) for i, n in ((0, 10), (50, 20), (100, 30), (300, 8), (500, 5))]
    cases += [("long lines", [long], corrupt(long, i, 0.05)) for i in range(4)]
    uneven = [" ".join(german[i : i + 9]) for i in range(0, 90, 9)]
    cases += [("very uneven", [uneven], german[:10]), ("very uneven", [german[:10]], uneven)]
    for i in range(10):
        text = lambda: ["".join(draw.choices(ALPHABET, k=draw.randrange(40))) for _ in range(100)]
        reference = text()
        near = ["".join(draw.choice(ALPHABET) if draw.random() < 0.1 else c for c in line) for line in reference]
        cases.append(("random marks", [reference, text()][: 1 + i % 2], near))
    worst, count = {}, 0
    for name, references, system in cases:
        for flags, kind, options in OPTIONS:
            ours = sets.run(references, [system], flags)[0]["score"]
            theirs = kind(**options).corpus_score(system, references).score
            key = (kind.__name__, name)
            worst[key] = max(worst.get(key, 0.0), abs(ours - theirs))
            count += 1
            if abs(ours - theirs) >= 0.005:
                print("DIFFERS", name, flags, ours, theirs)
        if name in ("blank", "random marks", "corrupted"):
            for flags, kind, options in OPTIONS:
                ours = [list(o.values())[0] for o in sets.run(references, [system], flags + " --sentence")]
                effective = dict(effective_order=True) if kind is BLEU else {}
                metric = kind(**options, **effective)
                theirs = [metric.sentence_score(s, list(r)).score for s, *r in zip(system, *references)]
                key = (kind.__name__, name + ", sentences")
                far = max(abs(a - b) for a, b in zip(ours, theirs))
                worst[key] = max(worst.get(key, 0.0), far)
                count += len(ours)
                if far >= 0.005:
                    print("DIFFERS", name, flags, "by sentence", far)
    print(f"{count} scores; largest differences:")
    for key, value in sorted(worst.items()):
        print(f"  {key[0]:5} {key[1]:24} {value:.2e}")
    significance(wordmill, data)


def significance(wordmill, data):
    sets, german = Sets(wordmill), flickr(data, "de")
    worst = {}
    for i in range(8):
        systems = [corrupt(german, 50 + i, 0.05), corrupt(german, 70 + i, 0.05 + 0.0015 * i)]
        for flags, metric in (("-m bleu", BLEU()), ("-m chrf", CHRF()), ("-m ter", TER())):
            for test, long in (("bs", "bootstrap"), ("ar", "randomization")):
                named = [("a", systems[0]), ("b", systems[1])]
                _, found = PairedTest(named, {"m": metric}, [german], test_type=test, n_ar_confidence=0)()
                theirs = next(value for key, value in found.items() if key != "System")
                ours = sets.run([german], systems, f"{flags} --test {long} --confidence")
                pairs = [("p", ours[1]["p"], theirs[1].p_value)]
                for us, them in zip(ours, theirs):
                    pairs += [("mean", us["mean"], them.mean), ("margin", us["margin"], them.ci)]
                for name, a, b in pairs:
                    key = (flags, long, name)
                    if abs(a - b) >= 0.0001:
                        print("DIFFERS", i, flags, long, name, a, b)
                    if abs(a - b) >= worst.get(key, (-1,))[0]:
                        worst[key] = (abs(a - b), a, b)
    print("largest differences of 8 pairs of systems (wordmill, sacrebleu):")
    for key, value in sorted(worst.items()):
        print(f"  {' '.join(key):32} {value[0]:.1e}  ({value[1]:.4f}, {value[2]:.4f})")


def speed(wordmill, data, count=1_000_000):
    with gzip.open(f"{data}/multi30k/train.de.gz", "rt") as file:
        german = [line.rstrip("\n") for line in file]
    sets = Sets(wordmill)
    reference, system = [], []
    while len(reference) < count:
        reference += german
        system += corrupt(german, len(reference), 0.05)
    paths = [sets.write(lines[:count]) for lines in (reference, system)]
    tenth = [sets.write(lines[: count // 10]) for lines in (reference, system)]
    for metric in ("bleu", "chrf", "ter"):
        start = time.time()
        subprocess.run([wordmill, "bleu", "-m", metric, "--ref", *paths], check=True, capture_output=True)
        ours = time.time() - start
        start = time.time()
        command = [sys.executable, "-m", "sacrebleu", tenth[0], "-i", tenth[1], "-m", metric]
        subprocess.run(command, check=True, capture_output=True)
        theirs = 10 * (time.time() - start)
        print(f"{metric}: wordmill {ours:.2f} s, sacrebleu {theirs:.1f} s, {theirs / ours:.0f} times", flush=True)


if __name__ == "__main__":
    print("sacrebleu", sacrebleu.__version__, os.cpu_count(), "cores")
    {"agree": agree, "significance": significance, "speed": speed}[sys.argv[1]](*sys.argv[2:4], *map(int, sys.argv[4:]))
