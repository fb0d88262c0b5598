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
        self.printed_beside = open(f"{self.file}.life", "w+")
        within = ["ip", "netns", "exec", lab.full(place), tracer]
        arguments = [*map(str, arguments)]
        if "--flows" not in arguments:  # a sixth of a start goes into the usual map of 65,536, of which no situation fills a part
            arguments = ["--flows", "4096", *arguments]
        self.process = subprocess.Popen([*within, "record", "-w", self.file, "--packets", "all", "--snaplen", "128", "-o", "json", *arguments],
                                        stdin=subprocess.DEVNULL, stdout=self.printed, stderr=self.errors)
        # What most people run: there the kernel holds back the events of an ordinary connection until its end.
        self.beside = subprocess.Popen([*within, "life", "-o", "json", *arguments], stdin=subprocess.DEVNULL, stdout=self.printed_beside, stderr=self.errors)
        end = time.monotonic() + 40
        for process, printed in ((self.process, self.printed), (self.beside, self.printed_beside)):
            while not any(line["type"] == "ready" for line in lines_of(printed)):
                if process.poll() is not None or time.monotonic() > end:
                    raise NotPlayed(f"tcpwitness was not ready: {self._complaint()}")
                time.sleep(0.03)

    def _complaint(self):
        with open(self.errors.name) as errors:
            return errors.read().strip()

    def stop(self):
        """Ends the run and reads it: .live, .stories, .events (JSON objects), .timeline (text)."""
        self.live = self._end(self.process, self.printed)
        self.lives = self._end(self.beside, self.printed_beside)
        self.stories = objects(self.tracer, self.file, "--explain")
        self.events = objects(self.tracer, self.file, "--trace")
        self.timeline = run([self.tracer, "read", "--trace", self.file])

    def _end(self, process, printed):
        """What it has printed."""
        process.send_signal(signal.SIGINT)
        try:
            code = process.wait(30)
        except subprocess.TimeoutExpired:
            raise NotPlayed("tcpwitness did not end within 30 s") from None
        if code != 0:
            raise NotPlayed(f"tcpwitness ended with {code}: {self._complaint()}")
        lines = lines_of(printed)
        summary = lines[-1]
        if summary["type"] != "summary":
            raise NotPlayed("tcpwitness printed no summary")
        for what in ("lost", "malformed", "unaccounted"):
            if summary.get(what):
                raise Loss(f"{what}: {summary[what]} at {self.name}")
        return lines

    def kill(self):
        for process in (self.process, self.beside):
            if process.poll() is None:
                process.kill()
                process.wait()


class Capture:
    """A capture file instead of a run: the same three readings."""

    def __init__(self, tracer, name, file):
        self.name = name
        self.stories = objects(tracer, file, "--explain")
        self.live = objects(tracer, file)
        self.lives = self.live
        self.events = objects(tracer, file, "--trace")
        self.timeline = run([tracer, "read", "--trace", file])

    def stop(self):
        pass

    def kill(self):
        pass


def lines_of(printed):
    with open(printed.name) as file:
        return [json.loads(line) for line in file.read().splitlines() if line.endswith("}")]


def objects(tracer, file, *mode):
    return [json.loads(line) for line in run([tracer, "read", "-o", "json", *mode, file]).splitlines()]
