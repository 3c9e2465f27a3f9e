#!/usr/bin/env python3
"""Speed, start-up and memory of a wordmill program beside the bars; benches/speed.sh builds one and calls this.

    python3 benches/speed.py DATA WORDMILL [--runs 5] [--megabytes 60] [--gigabytes 0]

Two corpora of running text are made in a temporary folder: books (novels and addresses of DATA/text-english, repeated;
annotate gets them once) and wiki (DATA/enwiki-cased), --megabytes of each. Every round runs every command once with
one worker thread and once with two, so that what else the machine does hits all alike; output goes to /dev/null. Shown
are the best and the median of the rounds, the rate for each second of processor time (which a busy machine changes
least), and the peak of memory. With one worker thread reading and writing still have threads of their own. --gigabytes
streams so much text through annotate by a pipe, to see that memory stays bounded; 5 takes an hour or two.
"""

import argparse
import gzip
import lzma
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import namedtuple

BOOKS = ["inaugural", "moby-dick", "state_union", "war-and-peace"]
SENTENCE = "The quick brown fox jumps over the lazy dog.\n"
Measured = namedtuple("Measured", "seconds processor_seconds megabytes")
# A command, the corpora it runs on, its unit and the bar for two threads.
Job = namedtuple("Job", "name flags corpora unit bar")
JOBS = [
    Job("tokenize unicode", ("tokenize", "--scheme", "unicode"), ("books", "wiki"), "MB/s", 60),
    Job("tokenize ud", ("tokenize",), ("books", "wiki"), "MB/s", 15),
    Job("stem", ("stem",), ("books", "wiki"), "MB/s", 30),
    Job("annotate", ("annotate",), ("once",), "words/s", 80_000),
]


def measured(command, stdin=subprocess.DEVNULL, feed=None):
    """Runs a command to its end. `feed` writes to its standard input."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.DEVNULL)
    if feed:
        feeding = threading.Thread(target=feed, args=(process.stdin,))
        feeding.start()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if feed:
        feeding.join()
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {process.returncode}")
    return Measured(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def make_corpora(data, folder, size):
    """Writes books.txt, once.txt, wiki.txt."""
    books = ""
    for name in BOOKS:
        with gzip.open(f"{data}/text-english/{name}.txt.gz", "rt", encoding="utf-8") as file:
            books += file.read() + "\n\n"
    with lzma.open(f"{data}/enwiki-cased/enwiki-cased.txt.xz", "rb") as file:
        wiki = file.read(size)
    wiki = wiki[: wiki.rindex(b"\n") + 1]
    once = books.encode()
    texts = {"once": once, "books": once * max(1, round(size / len(once))), "wiki": wiki}
    for name, text in texts.items():
        with open(os.path.join(folder, f"{name}.txt"), "wb") as file:
            file.write(text)


def count_words(program, path):
    command = [program, "tokenize", "-q", "--to", "words", path]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.count(b"\n")


def row(*cells):
    print("\t".join(str(cell) for cell in cells), flush=True)


def throughput(program, paths, runs):
    found = {}
    for _ in range(runs):
        for job in JOBS:
            for corpus in job.corpora:
                for threads in (1, 2):
                    command = [program, *job.flags, "-q", "--from", "text", "--threads", str(threads), paths[corpus]]
                    found.setdefault((job, corpus, threads), []).append(measured(command))
    row("command", "corpus", "threads", "unit", "bar", "best", "median", "per processor second", "peak MiB")
    for (job, corpus, threads), rounds in found.items():
        amount = count_words(program, paths[corpus]) if job.unit == "words/s" else os.path.getsize(paths[corpus]) / 1e6
        digits = 0 if job.unit == "words/s" else 1
        rates = [
            amount / min(m.seconds for m in rounds),
            amount / statistics.median(m.seconds for m in rounds),
            amount / min(m.processor_seconds for m in rounds),
        ]
        row(
            job.name,
            corpus,
            threads,
            job.unit,
            f">= {job.bar}" if threads == 2 else "",
            *(f"{rate:.{digits}f}" for rate in rates),
            f"{max(m.megabytes for m in rounds):.0f}",
        )


def start_up(program, folder, runs):
    path = os.path.join(folder, "sentence.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write(SENTENCE)
    commands = {
        "--version": ([program, "--version"], 10),
        "annotate, one sentence": ([program, "annotate", "-q", "--threads", "2", path], 150),
    }
    found = {name: [] for name in commands}
    for _ in range(4 * runs):
        for name, (command, _) in commands.items():
            found[name].append(measured(command))
    for name, (_, bar) in commands.items():
        milliseconds = [1000 * m.seconds for m in found[name]]
        processor = 1000 * min(m.processor_seconds for m in found[name])
        best, median = min(milliseconds), statistics.median(milliseconds)
        peak = max(m.megabytes for m in found[name])
        row(name, "", "", "ms", f"< {bar}", f"{best:.1f}", f"{median:.1f}", f"{processor:.1f} ms", f"{peak:.0f}")


def memory(program, path, gigabytes):
    with open(path, "rb") as file:
        text = file.read()

    def feed(pipe):
        left = int(gigabytes * 1e9)
        while left > 0:
            pipe.write(text[:left])
            left -= len(text)
        pipe.close()

    command = [program, "annotate", "-q", "--from", "text", "--threads", "2"]
    found = measured(command, stdin=subprocess.PIPE, feed=feed)
    rate = gigabytes * 1000 / found.seconds
    row("annotate, a stream", f"{gigabytes:g} GB", 2, "MB/s", "<= 250 MiB", f"{rate:.2f}", "", "", f"{found.megabytes:.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("wordmill")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--megabytes", type=float, default=60)
    parser.add_argument("--gigabytes", type=float, default=0)
    args = parser.parse_args()
    program = os.path.abspath(args.wordmill)
    with tempfile.TemporaryDirectory() as folder:
        # In a process of its own: the peak of a program counts from that of the process that started it.
        making = multiprocessing.Process(target=make_corpora, args=(args.data, folder, int(args.megabytes * 1e6)))
        making.start()
        making.join()
        if making.exitcode != 0:
            sys.exit(1)
        paths = {name: os.path.join(folder, f"{name}.txt") for name in ("once", "books", "wiki")}
        throughput(program, paths, args.runs)
        start_up(program, folder, args.runs)
        if args.gigabytes > 0:
            memory(program, paths["once"], args.gigabytes)


if __name__ == "__main__":
    main()
