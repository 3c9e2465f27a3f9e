#!/usr/bin/env python3
"""Speed of wordmill's stemmers beside NLTK's, on the same file.

    python benches/peers/stem.py WORDMILL FILE [MEGABYTES]

WORDMILL is the program, FILE is running text in UTF-8. NLTK gets the first MEGABYTES (default 1) of it, since it needs
minutes for a book; its words are found by a regular expression, which costs it nothing to speak of. NLTK is timed twice:
plain, and with a dictionary of the words seen, as a careful user would have it. wordmill is timed from start to exit,
with two threads and with one, on a file of at least 64 MB made by repeating FILE. Needs nltk.
"""

import functools
import os
import re
import subprocess
import sys
import tempfile
import time

from nltk.stem import LancasterStemmer, PorterStemmer, SnowballStemmer

WORD = re.compile(r"\w+(?:['’.]\w+)*")


def nltk_rate(stem, text):
    """Megabytes per second of stemming every word of `text` in place."""
    started = time.perf_counter()
    WORD.sub(lambda match: stem(match.group()), text)
    return len(text.encode()) / (time.perf_counter() - started) / 1e6


def wordmill_rate(program, algorithm, threads, path):
    """The best of three runs, in megabytes per second."""
    command = [program, "stem", "-q", "--from", "text", "--algorithm", algorithm, "--threads", str(threads), path]
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - started)
    return os.path.getsize(path) / min(seconds) / 1e6


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    program, path = sys.argv[1:3]
    megabytes = float(sys.argv[3]) if len(sys.argv) == 4 else 1.0
    with open(path, encoding="utf-8") as file:
        whole = file.read()
    part = whole[: int(megabytes * 1e6)]
    peers = {
        "snowball": SnowballStemmer("english").stem,
        "porter": PorterStemmer(mode="ORIGINAL_ALGORITHM").stem,
        "lancaster": LancasterStemmer().stem,
    }
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".txt") as long:
        size = len(whole.encode())
        for _ in range(64_000_000 // max(size, 1) + 1):
            long.write(whole)
        long.flush()
        print("algorithm\tnltk\tnltk, dictionary\twordmill, 1 thread\twordmill, 2 threads\tMB/s")
        for name, stem in peers.items():
            rates = [
                nltk_rate(stem, part),
                nltk_rate(functools.lru_cache(None)(stem), part),
                wordmill_rate(program, name, 1, long.name),
                wordmill_rate(program, name, 2, long.name),
            ]
            print(name, *(f"{rate:.2f}" for rate in rates), sep="\t")


if __name__ == "__main__":
    main()
