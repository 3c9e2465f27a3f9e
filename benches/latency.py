#!/usr/bin/env python3
"""How long a line takes through a program that answers each line before it reads the next.

    latency.py LINES COMMAND...

Prints the median and the slowest of a hundred answers after the first, in milliseconds, and how long the first took.
"""
import subprocess
import sys
import time

lines = open(sys.argv[1], encoding="utf8").read().splitlines()[:101]
start = time.perf_counter()
program = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf8")
took = []
for line in lines:
    program.stdin.write(line + "\n")
    program.stdin.flush()
    program.stdout.readline()
    took.append(1000 * (time.perf_counter() - start))
    start = time.perf_counter()
program.stdin.close()
program.wait()
first, rest = took[0], sorted(took[1:])
print(f"first {first:.1f} ms, then median {rest[len(rest) // 2]:.2f} ms, slowest {rest[-1]:.2f} ms, of {len(rest)} lines")
