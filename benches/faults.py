#!/usr/bin/env python3
"""What is left after faults: benches/faults.py WORDMILL [TRIALS]

Kills (signal 9) a filter that writes a file, and training runs, at random moments, TRIALS times each (100), and counts what
is wrong afterwards: a file of the final name that is neither the old one nor the whole new one, a run that does not go on,
weights that are not those of a run that nobody has killed. Then a disk that fills up, and signals in the middle of
evaluations. Ends with status 1 if anything was wrong.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAM = Path(sys.argv[1]).resolve()
TRIALS = int(sys.argv[2]) if len(sys.argv) > 2 else 100
CORPORA = Path(__file__).resolve().parent.parent / "corpora"
PAIRS = ["--source", CORPORA / "parallel.en", "--target", CORPORA / "parallel.de"]
SMALL = ["--vocab-size", "400", "--dim", "32", "--heads", "2", "--ffn", "64", "--encoder-layers", "1", "--decoder-layers", "1"]
RUNS = {
    "transformer train": ["transformer", "train", *PAIRS, *SMALL, "--batch-tokens", "300"],
    "seq2seq train": ["seq2seq", "train", *PAIRS, "--vocab-size", "400", "--dim", "32", "--embedding", "16", "--batch-tokens", "300"],
    # The rate of points goes down towards the last step, which is another in each part of the run.
    "gan train": ["gan", "train", "--toy", "ring8", "--schedule", "constant", "--eval-every", "1000000"],
}
wrong = 0


def told(name, count, of, what):
    """Says how many of the trials were wrong."""
    global wrong
    wrong += count
    print(f"{name}: {count} of {of} {what}", flush=True)


def start(args, **more):
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    return subprocess.Popen([PROGRAM, *args], **(quiet | more))


def killed_after(process, seconds):
    """Whether the process still ran when it was killed."""
    try:
        process.communicate(timeout=seconds)
        return False
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True


def filters(folder):
    text, out = folder / "text", folder / "out.conllu"
    text.write_bytes((CORPORA / "sample.txt").read_bytes() * 400)
    args = ["annotate", text, "-o", out]
    begun = time.monotonic()
    assert start(args).wait() == 0
    whole, seconds = out.read_bytes(), time.monotonic() - begun
    corrupt = killed = left = 0
    for _ in range(TRIALS):
        out.write_bytes(b"old")
        killed += killed_after(start(args), random.uniform(0, 1.1 * seconds))
        corrupt += out.read_bytes() not in (b"old", whole)
        others = [path for path in folder.iterdir() if path not in (text, out)]
        left += len(others)
        for path in others:
            path.unlink()
    told("annotate -o", corrupt, TRIALS, f"files corrupt ({killed} were killed before the end, {left} temporary files stayed)")


def last(run):
    return json.loads((run / "last.json").read_text())["step"]


def weights(run, step):
    return (run / f"checkpoints/{step}/model.safetensors").read_bytes()


def trainers(folder, name, args):
    run, other = folder / name.split()[0], folder / "undisturbed"
    every = ["--save-every", "3", "--resume", "-q", "--out"]
    failed = killed = 0
    for _ in range(TRIALS):
        process = start([*args, "--max-steps", "1000000", *every, run])
        if killed_after(process, random.uniform(0, 1.5)):
            killed += 1
        else:
            failed += 1
    steps = last(run) + 7
    for place in (run, other):
        ended = start([*args, "--max-steps", str(steps), *every, place]).wait()
        failed += ended != 0
    told(name, failed, TRIALS, f"runs did not go on ({killed} were killed, {steps} steps in the end)")
    told(name, int(weights(run, steps) != weights(other, steps)), 1, "ends with other weights than undisturbed")


def full_disk(folder):
    disk = folder / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], stderr=subprocess.DEVNULL).returncode:
        print("a full disk: skipped, for nothing can be mounted here")
        return
    try:
        args = [*RUNS["transformer train"], "--save-every", "1", "--keep", "50", "-q", "--out", disk / "run"]
        first = start([*args, "--max-steps", "60"])
        message = first.communicate()[1].decode()
        told("a full disk", int("space" not in message), 1, "says nothing")
        kept = last(disk / "run")
        told("a full disk", int(not weights(disk / "run", kept)), 1, "leaves no checkpoint")
        subprocess.run(["mount", "-o", "remount,size=200m", disk], check=True)
        again = start([*args, "--max-steps", "70", "--resume"]).wait()
        told("a full disk", int(again != 0 or last(disk / "run") != 70), 1, f"does not go on (from step {kept}, with more room)")
    finally:
        subprocess.run(["umount", disk], check=True)


def notices(folder):
    """SIGTERM, as a spot notice sends it, while sentences are translated for an evaluation."""
    sides = []
    for side in ("en", "de"):
        path = folder / f"valid.{side}"
        path.write_text((CORPORA / f"parallel.{side}").read_text() * 100)
        sides.append(path)
    args = [*RUNS["transformer train"], "--valid", *sides, "--valid-every", "2", "--save-every", "1000000", "-q"]
    bad, waited = 0, []
    trials = max(TRIALS // 10, 1)
    for trial in range(trials):
        run = folder / f"notice{trial}"
        process = start([*args, "--max-steps", "1000000", "--out", run])
        time.sleep(random.uniform(1.5, 4))
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.communicate()
        waited.append(time.monotonic() - begun)
        steps = last(run)
        ended = start([*args, "--max-steps", str(steps + 3), "--resume", "--out", run]).wait()
        bad += process.returncode != -signal.SIGTERM or ended != 0 or last(run) != steps + 3
    told("a notice while it evaluates", bad, trials, f"runs lost (stopped within {max(waited):.2f} s)")


with tempfile.TemporaryDirectory() as scratch:
    random.seed(1)
    root = Path(scratch)
    filters(root)
    for command, flags in RUNS.items():
        trainers(root, command, flags)
        subprocess.run(["rm", "-rf", root / "undisturbed"], check=True)
    full_disk(root)
    notices(root)
sys.exit(wrong > 0)
