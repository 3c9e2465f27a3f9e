#!/usr/bin/env python3
"""Lets programs that train run in turns, each alone on the machine, and says when each said what, in seconds of its own.

    race.py [--slice 60] [--hold FILE] LOG SECONDS COMMAND [LOG SECONDS COMMAND ...]

COMMAND is a line for the shell. It is stopped (SIGSTOP) while another has its turn, and asked to end (SIGTERM) after
SECONDS of turns. LOG gets what it prints, each line with the seconds that the program had had by then. While FILE is
there all stand still, so that other work on the machine does not count.
"""
import argparse
import os
import signal
import subprocess
import threading
import time


class Runner:
    def __init__(self, log, seconds, command):
        self.had, self.since, self.seconds, self.is_asked = 0.0, None, float(seconds), False
        self.log = open(log, "a", encoding="utf8")
        self.process = subprocess.Popen(
            ["bash", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )
        self.send(signal.SIGSTOP)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.log.write(f"{self.time():8.1f} {line.decode('utf8', 'replace')}")
            self.log.flush()

    def time(self):
        since = self.since
        return self.had + (time.monotonic() - since if since else 0.0)

    def send(self, what):
        try:
            os.killpg(self.process.pid, what)
        except ProcessLookupError:
            pass

    def is_over(self):
        return self.process.poll() is not None

    def turn(self, length, hold):
        """Runs until the slice, its seconds, or itself is at an end, or a hold begins."""
        self.since = time.monotonic()
        self.send(signal.SIGCONT)
        end = self.since + length
        while time.monotonic() < end and not self.is_over() and not held(hold):
            if self.time() >= self.seconds and not self.is_asked:
                self.send(signal.SIGTERM)
                self.is_asked, end = True, time.monotonic() + 60
            elif self.time() >= self.seconds + 60:
                self.send(signal.SIGKILL)
            time.sleep(0.1)
        self.send(signal.SIGSTOP)
        self.had, self.since = self.time(), None


def held(path):
    return path is not None and os.path.exists(path)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--slice", type=float, default=60.0)
    options.add_argument("--hold")
    options.add_argument("runs", nargs="+", metavar="LOG SECONDS COMMAND")
    given = options.parse_args()
    if len(given.runs) % 3:
        options.error("LOG, SECONDS and COMMAND for each program")
    runners = [Runner(*given.runs[i : i + 3]) for i in range(0, len(given.runs), 3)]
    try:
        race(runners, given)
    finally:
        for runner in runners:
            runner.send(signal.SIGKILL)
    for runner in runners:
        runner.reader.join()


def race(runners, given):
    while running := [runner for runner in runners if not runner.is_over()]:
        if held(given.hold):
            time.sleep(0.1)
        else:
            min(running, key=lambda runner: runner.had).turn(given.slice, given.hold)


if __name__ == "__main__":
    main()
