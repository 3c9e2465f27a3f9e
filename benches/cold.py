#!/usr/bin/env python3
"""Measures the cold start of `wordmill lambda`: from the start of the process to the arrival of its first answer.

The runtime API is played on loopback, with one event. Prints the median and the slowest of some starts.

    benches/cold.py target/release/wordmill [--handler 'annotate'] [--starts 20]
"""

import argparse
import http.server
import os
import subprocess
import threading
import time


class Api(http.server.BaseHTTPRequestHandler):
    answered = threading.Event()
    asked = 0

    def do_GET(self):
        Api.asked += 1
        if Api.asked > 1:
            # There is no other event: the process is ended.
            time.sleep(0.5)
            return
        event = b'"Apple Inc. was founded by Steve Jobs."'
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", "1")
        self.send_header("Content-Length", str(len(event)))
        self.end_headers()
        self.wfile.write(event)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        assert self.path.endswith("/response"), self.path
        Api.answered.set()
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--handler", default="annotate")
    parser.add_argument("--starts", type=int, default=20)
    args = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"127.0.0.1:{server.server_address[1]}"
    times = []
    for _ in range(args.starts):
        Api.answered.clear()
        Api.asked = 0
        start = time.monotonic()
        process = subprocess.Popen(
            [args.binary, "lambda"], env={**os.environ, "AWS_LAMBDA_RUNTIME_API": host, "_HANDLER": args.handler}
        )
        assert Api.answered.wait(60), "no answer"
        times.append(1000 * (time.monotonic() - start))
        process.terminate()
        process.wait()
    times.sort()
    print(f"{args.handler}: median {times[len(times) // 2]:.0f} ms, slowest {times[-1]:.0f} ms of {len(times)} starts")


main()
