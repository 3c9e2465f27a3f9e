#!/usr/bin/env python3
"""Loads `wordmill sagemaker serve` over loopback: 64 connections that stay open, a request behind the other on each.

Prints requests, errors, their rate, quantiles of the time from a request to the end of its answer, and what the service
holds of memory after a tenth of the time and at the end. The clients are threads of one process, and take their share of the
machine.

    benches/service.py target/release/wordmill [--command 'annotate'] [--connections 64] [--seconds 60]
"""

import argparse
import http.client
import os
import pathlib
import signal
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def resident(pid):
    """MiB of memory that a process holds."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def client(port, body, end, times, errors):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    while time.monotonic() < end:
        start = time.monotonic()
        try:
            connection.request("POST", "/invocations", body, {"Content-Type": "text/plain"})
            reply = connection.getresponse()
            answer = reply.read()
            if reply.status != 200 or not answer:
                errors.append(f"status {reply.status}")
                continue
        except (OSError, http.client.HTTPException) as error:
            errors.append(repr(error))
            connection.close()
            continue
        times.append(time.monotonic() - start)
    connection.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--command", default="annotate")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60)
    args = parser.parse_args()
    body = (ROOT / "corpora/sample.txt").read_bytes()
    service = subprocess.Popen(
        [args.binary, "sagemaker", "serve", "--port", "0", "--root", "/nonexistent"],
        env={**os.environ, "WORDMILL_SERVE": args.command},
        stderr=subprocess.PIPE,
        text=True,
    )
    port = int(service.stderr.readline().split()[-1])
    end = time.monotonic() + args.seconds
    times, errors = [], []
    clients = [threading.Thread(target=client, args=(port, body, end, times, errors)) for _ in range(args.connections)]
    for each in clients:
        each.start()
    time.sleep(args.seconds / 10)
    before = resident(service.pid)
    for each in clients:
        each.join()
    after = resident(service.pid)
    service.send_signal(signal.SIGTERM)
    status = service.wait(60)
    times.sort()
    quantile = lambda share: 1000 * times[min(len(times) - 1, int(share * len(times)))]
    print(f"{len(times)} requests of {len(body)} bytes, {len(errors)} errors {sorted(set(errors))}, end with status {status}")
    print(f"{len(times) / args.seconds:.0f} requests/s, p50 {quantile(0.5):.1f} ms, p99 {quantile(0.99):.1f} ms")
    print(f"memory {before:.1f} MiB after a tenth, {after:.1f} MiB at the end")


main()
