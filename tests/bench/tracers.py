# SPDX-License-Identifier: Apache-2.0
"""What a load runs beside: nothing, tcpwitness in its modes, empty programs on its hooks, tcpdump and two tcplifes."""
import contextlib
import dataclasses
import json
import re
import shutil
import signal
import subprocess
import time

from processes import Failed, cpu_ns, pieces, program_ids, programs, start, until, wait

SETTLE_SECONDS = 0.4  # without a new BPF program: everything is attached


class Nothing:
    name, required = "untraced", True

    def why_not(self):
        return ""

    @contextlib.contextmanager
    def beside(self, _bench, _place):
        yield Watched(None)


class Watched:
    """A tracer at work, or none."""

    def __init__(self, process):
        self.process = process
        self.ids = program_ids(process.pid) if process else set()
        self.like = {}  # id of an empty program: names of the tracer's programs on its hook
        self.lost = None  # how many events or packets; known when it has ended, as far as it prints them
        self.reported = None  # sockets that it printed as JSON

    def cpu_ns(self):
        return cpu_ns(self.process.pid) if self.process else 0

    def pieces(self):
        return pieces(self.process.pid) if self.process else 0

    def programs(self):
        return programs(self.ids)


@dataclasses.dataclass
class Tracer:
    name: str
    arguments: list
    bpf: bool = True
    says_when_ready: bool = False  # prints something to stderr, and nothing before that
    loss: str = ""  # how it prints at its end on stderr what it has lost: an expression with a group for the number
    required = False  # where it does not run, the others are measured without it

    def command(self, _bench, place):
        return [one.format(interface=place.interface) for one in self.arguments]

    def why_not(self):
        return "" if shutil.which(self.arguments[0]) else "not installed"

    @contextlib.contextmanager
    def beside(self, bench, place):
        with open(bench.work / "out", "wb") as out, open(bench.work / "err", "wb") as err:
            process = start(place.command(place.server, self.command(bench, place)), self.output(out), err)
        try:
            self.settle(process, bench)
            watched = Watched(process)
            yield watched
            process.send_signal(signal.SIGTERM)
            wait(process)
            self.ended(bench, watched)
        finally:
            if process.returncode is None:
                process.kill()
                wait(process)

    def output(self, _out):
        return subprocess.DEVNULL

    def complaint(self, bench):
        lines = (bench.work / "err").read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def settle(self, process, bench):
        """Returns when everything is attached."""
        if self.says_when_ready:
            until(lambda: (bench.work / "err").stat().st_size > 0 or process.poll() is not None, 30, self.name)
        seen, since = set(), time.monotonic()
        while process.poll() is None and time.monotonic() < since + SETTLE_SECONDS:
            time.sleep(0.05)
            now = program_ids(process.pid) if self.bpf else set()
            if now != seen or (self.bpf and not now):
                seen, since = now, time.monotonic()
        if process.poll() is not None:
            raise Failed(self.complaint(bench))

    def ended(self, bench, watched):
        if not self.loss:
            return
        said = re.search(self.loss, (bench.work / "err").read_text())
        if not said:
            raise Failed(f"{self.name.strip()} does not say what it has lost: {self.complaint(bench)}")
        watched.lost = 0 if said[1] == "nothing" else int(said[1].replace(",", ""))


@dataclasses.dataclass
class Tcpwitness(Tracer):
    required = True

    def why_not(self):
        return ""

    def command(self, bench, place):
        return [str(bench.tracer), *super().command(bench, place)]

    def output(self, out):
        return out if "json" in self.arguments else subprocess.DEVNULL

    def ended(self, bench, watched):
        super().ended(bench, watched)
        if "json" not in self.arguments:
            return
        watched.reported = 0
        with open(bench.work / "out", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith('{"type":"life"'):
                    watched.reported += 1
                elif line.startswith('{"type":"summary"'):
                    watched.lost = json.loads(line)["lost"]
        if watched.lost is None:
            raise Failed("tcpwitness ended without a summary")


class Empty(Tracer):
    """Programs that do nothing where tcpwitness has some."""

    required = True

    def __init__(self):
        super().__init__("empty programs", [])

    def why_not(self):
        return ""

    @contextlib.contextmanager
    def beside(self, bench, place):
        with LIFE.beside(bench, place) as tracer:
            with open(bench.work / "floor", "w+b") as said:
                process = start(place.command(place.server, [str(bench.empty_hooks), str(tracer.process.pid)]), said, None)
                until(lambda: b"ready" in (bench.work / "floor").read_bytes() or process.poll() is not None, 10, self.name)
            if process.poll() is not None:
                raise Failed("tw_empty_hooks ended")
            names = {number: name for number, (name, _, _) in tracer.programs().items()}
        try:
            watched = Watched(process)
            for line in (bench.work / "floor").read_text().splitlines()[:-1]:
                _, theirs, _, ours = line.split()
                watched.like.setdefault(int(ours), []).append(names[int(theirs)])
            yield watched
        finally:
            process.kill()
            wait(process)


def ours(name, *arguments):
    return Tcpwitness(name, list(arguments), says_when_ready=True, loss=r"(nothing|[\d,]+) lost\b")


UNTRACED = Nothing()
EMPTY = Empty()
LIFE = ours("tcpwitness")
JSON = ours("  -o json", "-o", "json")
NO_WIRE = ours("  --wire none", "--wire", "none")
NO_KERNEL = ours("  --kernel off", "--kernel", "off")
OTHER_PORT = ours("  --port 443", "--port", "443")
TCPDUMP = Tracer(
    "tcpdump -s 96 -w",
    ["tcpdump", "-Z", "root", "-i", "{interface}", "-s", "96", "-w", "/dev/null", "tcp"],
    bpf=False,
    says_when_ready=True,
    loss=r"(\d+) packets? dropped by kernel",
)
TCPLIFE = Tracer("tcplife (libbpf)", ["tcplife"])
BPFTRACE = Tracer("tcplife.bt", ["tcplife.bt"])
