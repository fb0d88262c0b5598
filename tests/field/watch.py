# SPDX-License-Identifier: Apache-2.0
"""tcpwitness beside a situation: it records, and prints its judgements live; then its recording is read in all three ways."""
import json
import signal
import subprocess
import time

from lab import NotPlayed, run


class Loss(NotPlayed):
    """Events were lost: what was judged without them proves nothing."""


class Watch:
    def __init__(self, tracer, lab, place, name, arguments=()):
        self.tracer, self.name = tracer, name
        self.file = f"{lab.folder}/{name}.pcapng"
        self.printed, self.errors = open(f"{self.file}.json", "w+"), open(f"{self.file}.err", "w+")
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", lab.full(place), tracer, "record", "-w", self.file, "--packets", "all", "--snaplen", "128", "-o", "json",
             *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=self.printed, stderr=self.errors)
        end = time.monotonic() + 40
        while not any(line["type"] == "ready" for line in self._lines()):
            if self.process.poll() is not None or time.monotonic() > end:
                raise NotPlayed(f"tcpwitness was not ready: {self._complaint()}")
            time.sleep(0.03)

    def _lines(self):
        with open(self.printed.name) as printed:
            text = printed.read()
        return [json.loads(line) for line in text.splitlines() if line.endswith("}")]

    def _complaint(self):
        with open(self.errors.name) as errors:
            return errors.read().strip()

    def stop(self):
        """Ends the run and reads it: .live, .stories, .events (JSON objects), .timeline (text)."""
        self.process.send_signal(signal.SIGINT)
        try:
            code = self.process.wait(30)
        except subprocess.TimeoutExpired:
            raise NotPlayed("tcpwitness did not end within 30 s") from None
        if code != 0:
            raise NotPlayed(f"tcpwitness ended with {code}: {self._complaint()}")
        self.live = self._lines()
        summary = self.live[-1]
        if summary["type"] != "summary":
            raise NotPlayed("tcpwitness printed no summary")
        for what in ("lost", "malformed", "unaccounted"):
            if summary.get(what):
                raise Loss(f"{what}: {summary[what]} at {self.name}")
        self.stories = objects(self.tracer, self.file, "--explain")
        self.events = objects(self.tracer, self.file, "--trace")
        self.timeline = run([self.tracer, "read", "--trace", self.file])

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Capture:
    """A capture file instead of a run: the same three readings."""

    def __init__(self, tracer, name, file):
        self.name = name
        self.stories = objects(tracer, file, "--explain")
        self.live = objects(tracer, file)
        self.events = objects(tracer, file, "--trace")
        self.timeline = run([tracer, "read", "--trace", file])

    def stop(self):
        pass

    def kill(self):
        pass


def objects(tracer, file, *mode):
    return [json.loads(line) for line in run([tracer, "read", "-o", "json", *mode, file]).splitlines()]
