#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Everything at once for a long time (scripts/soak); then memory, books and what is left.

Namespaces: a, where connections are made over loopback (tw_churn), and where guests come: a namespace and a veth pair for one
connection each; b, from which SYN floods come. Four tracers watch:
  life      a's connections, with a small ring, stopped for seconds: every connection is one line, or its events are counted as lost
  guests    of the same namespace the guests' addresses alone, so each on an interface that has just appeared: one line a guest
  stalled   a timeline into a pipe that nobody reads
  record    files that are rotated on a small disk, which others fill up
"""
import argparse
import collections
import ctypes
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "field"))
import forge
from lab import CLONE_NEWNET, Lab, LIBC, NotPlayed, run

FLOODED, GUEST_PORT = 7085, 7086
STOPPED_S, FULL_S, WARM_UP_S = 3, 3, 75  # connections in TIME_WAIT are remembered for a minute
HOUR_S, SHORT_S, CLOCK_SETTLES_S = 3600, 120, 8  # a step of the clock; nothing here lasts as long as the second


class Inside:
    """This thread in another network namespace; sockets stay where they are made."""

    def __init__(self, netns):
        self.place = f"/run/netns/{netns}"

    def __enter__(self):
        self.before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        with open(self.place) as there:
            self.set(there.fileno())

    def __exit__(self, *_):
        self.set(self.before)
        os.close(self.before)

    @staticmethod
    def set(fd):
        if LIBC.setns(fd, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")


class Tracer:
    """A run of tcpwitness, its lines counted as they come. Its memory is sampled."""

    clock_set = -1e9  # when a step of the clock was made, by time.monotonic()

    def __init__(self, name, binary, arguments, folder, reads=True):
        self.name, self.reads, self.summary, self.ended = name, reads, None, None
        self.lives, self.findings, self.gaps, self.wrong = 0, collections.Counter(), 0, []
        self.partial = []  # lives of which something is missing
        self.longest_ns, self.off_s = 0, 0.0  # of a life's duration; of its time from the clock when it was printed
        self.flood_lives = collections.Counter()  # by second
        self.samples = []  # (time, bytes)
        self.errors = open(f"{folder}/{name}.err", "w+")
        self.process = subprocess.Popen([binary, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.errors)
        line = json.loads(self.process.stdout.readline() or "{}")
        if line.get("type") != "ready":
            raise NotPlayed(f"{name} was not ready: {self.complaint()}")
        self.programs = programs_of(self.process.pid)
        if reads:
            self.reader = threading.Thread(target=self.read, daemon=True)
            self.reader.start()

    def said(self):
        with open(self.errors.name) as errors:
            return errors.read()

    def complaint(self):
        return self.said().strip()[-600:]

    def read(self):
        for text in self.process.stdout:
            if not text.endswith(b"\n"):
                return  # it was killed in the middle of a line
            line = json.loads(text)
            kind = line["type"]
            if kind == "life":
                self.life(line)
            elif kind == "finding":
                self.findings[line["rule"]] += 1
            elif kind == "gap":
                self.gaps += 1
            elif kind == "summary":
                self.summary = line

    def life(self, line):
        self.longest_ns = max(self.longest_ns, line["duration_ns"])
        # Right behind a step it may show what the clock was before.
        now = time.time()
        if time.monotonic() > Tracer.clock_set + CLOCK_SETTLES_S:
            self.off_s = max(self.off_s, abs(line["ts_ns"] / 1e9 - now))
        if FLOODED in (line["local"]["port"], line["remote"]["port"]):
            self.flood_lives[line["ts_ns"] // 1_000_000_000] += 1
            return
        self.lives += 1
        if line["incomplete"] and len(self.partial) < 20:
            self.partial.append(line)
        # What is called whole is right.
        right = line["incomplete"] or (line["outcome"] == "completed" and {line["tx_bytes"], line["rx_bytes"]} == {100, 1000})
        if not right and len(self.wrong) < 5:
            self.wrong.append(line)

    def sample(self):
        code = self.process.poll()
        if code is not None:
            raise NotPlayed(f"{self.name} ended with {code}: {self.complaint()}")
        with open(f"/proc/{self.process.pid}/status") as status:
            size = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
        self.samples.append((time.monotonic(), size * 1024))

    def most(self, begin, end):
        return max((size for at, size in self.samples if begin <= at <= end), default=0)

    def stop(self):
        """SIGINT; seconds until it ended."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        try:
            self.ended = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            self.ended = "killed after 30 s"
        took = time.monotonic() - begun
        if self.reads:
            self.reader.join(10)
        return took

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def programs_of(pid):
    ids = set()
    for fd in os.listdir(f"/proc/{pid}/fdinfo"):
        try:
            with open(f"/proc/{pid}/fdinfo/{fd}") as info:
                ids |= {line.split()[1] for line in info if line.startswith("prog_id:")}
        except FileNotFoundError:
            pass
    return ids


class Soak:
    def __init__(self, options):
        self.options = options
        self.lab = Lab(f"soak-{os.getpid()}", None)
        self.over = threading.Event()
        self.failures = []
        self.did = collections.Counter()
        self.tracers = []
        self.disk = f"{self.lab.folder}/disk"

    # The load

    def again(self, what, pause):
        """A thread that does it over and over, until the end; its first failure is the soak's."""
        def loop():
            while not self.over.is_set():
                try:
                    what()
                except (OSError, NotPlayed) as error:
                    self.failures.append(f"{what.__name__}: {error}")
                    return
                self.over.wait(pause)
        thread = threading.Thread(target=loop)
        thread.start()
        return thread

    def churn(self):
        printed = run(["ip", "netns", "exec", self.lab.full("a"), self.options.churn, "200"]).split()
        self.did["connections"] += int(printed[1]) - int(printed[3])

    def guest(self):
        """A namespace and a link, one connection, and both are gone again."""
        number = self.did["guests"]
        name = f"g{number}"
        ours, theirs = f"10.88.{number // 60 % 256}.{number % 60 * 4 + 1}", f"10.88.{number // 60 % 256}.{number % 60 * 4 + 2}"
        self.lab.netns(name)
        self.lab.link("a", f"{ours}/30", name, f"{theirs}/30")
        with Inside(self.lab.full(name)):
            listener = socket.create_server((theirs, GUEST_PORT))
        with Inside(self.lab.full("a")):
            client = socket.create_connection((theirs, GUEST_PORT), 10)
        server, _ = listener.accept()
        client.sendall(b"q" * 100)
        server.recv(100, socket.MSG_WAITALL)
        server.sendall(b"a" * 1000)
        client.recv(1000, socket.MSG_WAITALL)
        client.close()
        server.recv(1)
        server.close()
        listener.close()
        time.sleep(0.1)  # its last ACK is sent, or its namespace would take the connection with it
        self.did["guests"] += 1
        run(["ip", "netns", "del", self.lab.full(name)])
        self.lab.names.remove(name)

    def look(self):
        for tracer in self.tracers:
            tracer.sample()

    # The faults, one after the other

    def flood(self):
        with Inside(self.lab.full("b")):
            raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        with raw:
            for _ in range(self.options.flood):
                source = (f"10.87.{random.randrange(256)}.{random.randrange(1, 255)}", random.randrange(1024, 65536))
                raw.sendto(forge.segment(source, ("10.89.0.1", FLOODED), random.getrandbits(32), 0, forge.SYN), ("10.89.0.1", 0))
        self.did["floods"] += 1

    def stop_consumer(self):
        os.kill(self.life.process.pid, signal.SIGSTOP)
        self.over.wait(STOPPED_S)
        os.kill(self.life.process.pid, signal.SIGCONT)
        self.did["stops"] += 1

    def fill_disk(self):
        filler = f"{self.disk}/filler"
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(65536))
            except OSError:
                pass
        self.over.wait(FULL_S)
        useful = [name for name in os.listdir(self.disk) if name != "filler" and os.path.getsize(f"{self.disk}/{name}") > 4096]
        if not useful:
            self.failures.append("a full disk cost the recordings that were there")
        os.unlink(filler)
        self.did["full disks"] += 1

    def step_clock(self):
        """An hour forward, back, back once more and forward: what follows is right, or an hour late, or an hour early."""
        by = (HOUR_S, -HOUR_S, -HOUR_S, HOUR_S)[self.did["clock steps"] % 4]
        Tracer.clock_set = time.monotonic()
        time.clock_settime(time.CLOCK_REALTIME, time.time() + by)
        self.did["clock steps"] += 1

    def take_a_bite(self):
        """The stalled reader takes a little, once in a while."""
        os.read(self.stalled.process.stdout.fileno(), 65536)

    # The run

    def set_up(self):
        lab, tracer = self.lab, self.options.tracer
        lab.netns("a", "b")
        lab.link("a", "10.89.0.1/24", "b", "10.89.0.2/24")
        lab.ip("b", "addr add 10.87.0.1/16 dev lo")
        lab.ip("a", "route add 10.87.0.0/16 via 10.89.0.2")
        os.mkdir(self.disk)
        run(["mount", "-t", "tmpfs", "-o", "size=8m", "soak", self.disk])
        with Inside(lab.full("a")):
            self.listener = socket.create_server(("10.89.0.1", FLOODED), backlog=8)
        a = ["--netns", lab.full("a")]
        self.tracers = []
        for name, arguments, reads in (
                ("life", ["-o", "json", *a, "--ring-size", "1M"], True),
                ("guests", ["-o", "json", *a, "--host", "10.88.0.0/16"], True),
                ("stalled", ["trace", "-o", "json", *a], False),
                ("record", ["record", "-w", f"{self.disk}/r.pcapng", "--rotate-size", "1M", "--keep", "3", "-o", "json", *a], True)):
            self.tracers.append(Tracer(name, tracer, arguments, lab.folder, reads))
        self.life, self.guests, self.stalled, self.record = self.tracers

    def play(self):
        faults = [self.stop_consumer, self.flood, self.fill_disk, self.take_a_bite]
        if "TCPWITNESS_MAY_SET_CLOCK" in os.environ:
            faults[1:1] = faults[4:4] = [self.step_clock]
        pause = max(1.0, min(10.0, self.options.seconds / 40))
        load = [self.again(self.churn, 0.3), self.again(self.guest, 0.5), self.again(self.look, 0.5)]
        begun = time.monotonic()
        try:
            for turn in range(1 << 30):
                until = time.monotonic() + pause
                faults[turn % len(faults)]()
                while time.monotonic() < until and not self.failures:
                    time.sleep(0.2)
                if self.failures or time.monotonic() > begun + self.options.seconds:
                    break
        finally:
            self.over.set()
            for thread in load:
                thread.join(60)
        time.sleep(1)
        self.begun, self.lasted = begun, time.monotonic() - begun

    def remove(self):
        self.over.set()
        for tracer in self.tracers:
            tracer.kill()
        run(["umount", self.disk], check=False)
        self.lab.remove()

    # What came of it

    def judge(self):
        rows = []

        def row(what, figure, must_be, good):
            rows.append((what, str(figure), must_be, "ok" if good else "FAILED"))

        self.memory(row)
        took = {tracer.name: tracer.stop() for tracer in self.tracers}
        for tracer in self.tracers:
            # Whose output nobody takes says so with its exit code; a disk that was full, too.
            may = {"stalled": (0, 1), "record": (0, 1)}.get(tracer.name, (0,))
            row(f"{tracer.name}: ends", f"code {tracer.ended}, {took[tracer.name]:.1f} s", f"{' or '.join(map(str, may))}", tracer.ended in may)
        self.books(row)
        self.clock(row)
        self.recordings(row)
        self.residue(row)
        for failure in self.failures:
            row("the soak itself", failure, "none", False)
        return rows

    def memory(self, row):
        end = self.begun + self.lasted
        warm = self.begun + min(WARM_UP_S, self.lasted / 3)
        middle = (warm + end) / 2
        for tracer in self.tracers:
            before, after = tracer.most(warm, middle), tracer.most(middle, end)
            row(f"{tracer.name}: memory", f"{before / 1e6:.1f} MB, then {after / 1e6:.1f} MB", "flat (10 % and 2 MB)",
                after <= before * 1.1 + 2e6)

    def books(self, row):
        for tracer in (self.life, self.guests, self.record):
            summary = tracer.summary or {}
            for key in ("unaccounted", "malformed"):
                row(f"{tracer.name}: {key}", summary.get(key), "0", summary.get(key) == 0)
        both_ends = 2 * self.did["connections"]
        for tracer, made, what in ((self.life, both_ends + self.did["guests"], "connections' ends"), (self.guests, self.did["guests"], "guests")):
            summary = tracer.summary or {}
            lost, missed = summary.get("lost", 0), summary.get("missed", 0)
            # With a line all five transitions of its connection are lost: one that is left would be a line.
            without = lost // 5 + missed
            row(f"{tracer.name}: lines for {made} {what}", f"{tracer.lives}, events lost {lost} in {tracer.gaps} gaps" + (f", missed {missed}" if missed else ""),
                "one each, or five lost events each", made - without <= tracer.lives <= made)
            if not made - without <= tracer.lives <= made:
                for line in tracer.partial:
                    print(json.dumps(line), file=sys.stderr)
            row(f"{tracer.name}: whole lives with another outcome or other bytes", len(tracer.wrong), "0", not tracer.wrong)
            for line in tracer.wrong[:2]:
                print(json.dumps(line), file=sys.stderr)
        lines, found = self.life.flood_lives, self.life.findings["syn-flood"]
        most = max(lines.values(), default=0)
        row(f"life: lines of {self.did['floods']} floods of {self.options.flood} SYNs", f"{sum(lines.values())}, at most {most} a second, {found} findings",
            "at most 100 a second", most <= 200 and (found > 0 or not self.did["floods"] or self.options.flood < 5000))  # two of its seconds can lie in one of ours

    def clock(self, row):
        for tracer in (self.life, self.guests, self.record):
            row(f"{tracer.name}: longest life", f"{tracer.longest_ns / 1e9:.1f} s", f"below {SHORT_S}", tracer.longest_ns < SHORT_S * 1e9)
            row(f"{tracer.name}: its times from the clock's", f"{tracer.off_s:.1f} s at most", f"below {SHORT_S}", tracer.off_s < SHORT_S)
            said = tracer.said().count("the wall clock was set ")
            row(f"{tracer.name}: steps of the clock that it reports", f"{said} of {self.did['clock steps']}", "each", said == self.did["clock steps"])

    def recordings(self, row):
        files = [name for name in os.listdir(self.disk) if os.path.getsize(f"{self.disk}/{name}") > 0]
        bad = [name for name in files if subprocess.run([self.options.tracer, "read", "-o", "json", f"{self.disk}/{name}"], stdout=subprocess.DEVNULL,
                                                        stderr=subprocess.DEVNULL).returncode != 0]
        row("record: files that are left", len(files), "readable, at most 4", not bad and 0 < len(files) <= 4)

    def residue(self, row):
        programs = set().union(*(tracer.programs for tracer in self.tracers))
        left = [number for number in programs if subprocess.run(["bpftool", "prog", "show", "id", number], capture_output=True).returncode == 0]
        row(f"BPF programs left of {len(programs)}", len(left), "0", not left)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tracer", required=True)
    parser.add_argument("--churn", required=True)
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--flood", type=int, default=20000)
    soak = Soak(parser.parse_args())
    try:
        soak.set_up()
        soak.play()
        rows = soak.judge()
    except (NotPlayed, OSError) as error:
        print(f"soak: {error}", file=sys.stderr)
        return 1
    finally:
        soak.remove()
    print(f"{soak.lasted:.0f} s on Linux {os.uname().release}: " + ", ".join(f"{count:,} {what}" for what, count in soak.did.items()))
    if not soak.did["clock steps"]:
        print("skipped: clock steps (this machine's clock is not ours to set; scripts/vm VERSION scripts/soak)")
    widths = [max(len(line[i]) for line in rows) for i in range(4)]
    for line in rows:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip())
    failed = sum(line[3] != "ok" for line in rows)
    print(f"{len(rows) - failed} ok, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
