#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Recordings in tshark, with the plugin and without: tshark is the judge, what "tcpwitness read" prints of the same file the measure.

    check.py --tracer build/tcpwitness [NAME...]       exits with 77 where namespaces, BPF or tshark are not to be had
"""

import argparse
import collections
import json
import os
import pathlib
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

here = pathlib.Path(__file__).resolve().parent
load = here / "load.py"
one, router, two = (f"tws-{name}-{os.getpid()}" for name in ("a", "r", "b"))


class Wrong(Exception):
    pass


def expect(condition, text):
    if not condition:
        raise Wrong(text)


def equal(have, wanted, text):
    if have != wanted:
        for i, (left, right) in enumerate(zip(have, wanted)) if isinstance(have, list) else []:
            if left != right:
                raise Wrong(f"{text}: number {i} is {left}, and not {right}")
        raise Wrong(f"{text}: {have}, and not {wanted}")


def run(command, **more):
    more = {"capture_output": True, "text": True, "timeout": 60, "stdin": subprocess.DEVNULL} | more
    return subprocess.run([str(part) for part in command], **more)


def must(command, **more):
    done = run(command, **more)
    expect(done.returncode == 0, f"{' '.join(map(str, command))}: exit code {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout


def inside(netns):
    return ["ip", "netns", "exec", netns]


class Lab:
    """Three namespaces in a row, the one in the middle forwards; recordings, and a home directory with the plugin and one without."""

    def __init__(self, tracer, folder):
        self.tracer = tracer
        self.folder = pathlib.Path(folder)
        self.home = self.folder / "home"
        self.bare = self.folder / "bare"
        for path in (self.home, self.bare):
            path.mkdir()

    def open(self):
        for name in (one, router, two):
            must(["ip", "netns", "add", name])
            must(["ip", "-n", name, "link", "set", "lo", "up"])
        for name, net in ((one, 1), (two, 2)):
            must(["ip", "link", "add", "up0", "netns", name, "type", "veth", "peer", "name", f"down{net}", "netns", router])
            must(["ip", "-n", name, "address", "add", f"10.77.{net}.1/24", "dev", "up0"])
            must(["ip", "-n", router, "address", "add", f"10.77.{net}.254/24", "dev", f"down{net}"])
            must(["ip", "-n", name, "link", "set", "up0", "up"])
            must(["ip", "-n", router, "link", "set", f"down{net}", "up"])
            must(["ip", "-n", name, "route", "add", "default", "via", f"10.77.{net}.254"])
        must(inside(router) + ["sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"])

    def close(self):
        for name in (one, router, two):
            run(["ip", "netns", "delete", name])

    def environment(self, home):
        return {"HOME": str(home), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}

    def tshark(self, *arguments, home=None):
        done = run(["tshark", *arguments], env=self.environment(home or self.home))
        # As root: two lines that are no complaint.
        done.stderr = "\n".join(line for line in done.stderr.splitlines() if line and not line.startswith("Running as user"))
        expect(done.returncode == 0, f"tshark {' '.join(map(str, arguments))}: exit code {done.returncode}: {done.stderr[-500:]}")
        return done

    def rows(self, file, what, *fields, passes=2, home=None):
        """Of each frame that the display filter chooses: its fields, each as a list."""
        arguments = ["-n", "-r", file, "-T", "fields", "-E", "separator=\x01", "-E", "aggregator=\x02"]
        if what:
            arguments += ["-Y", what]
        if passes == 2:
            arguments.append("-2")
        for field in fields:
            arguments += ["-e", field]
        done = self.tshark(*arguments, home=home)
        equal(done.stderr, "", "tshark complains")
        return [[cell.split("\x02") if cell else [] for cell in line.split("\x01")] for line in done.stdout.splitlines()]

    def frames(self, file, what, **more):
        return [int(row[0][0]) for row in self.rows(file, what, "frame.number", **more)]

    def read(self, file, *arguments):
        return [json.loads(line) for line in must([self.tracer, "read", "-o", "json", *arguments, file]).splitlines()]

    def record(self, name, command, *arguments, netns=one):
        file = self.folder / f"{name}.pcapng"
        must([self.tracer, "record", "-q", "-w", file, "--netns", netns, *arguments, "--"] + inside(netns) + command)
        return file

    def recorded(self, name):
        """One of the recordings, made when it is first asked for."""
        file = self.folder / f"{name}.pcapng"
        if file.exists():
            return file
        if name in ("healthy", "large"):
            return self.record(name, [sys.executable, load, name], "--packets", "all")
        if name == "events":
            return self.record(name, [sys.executable, load, "healthy"])
        if name == "troubled":
            return self.record(name, [sys.executable, load, "troubled"], "--packets", "all")
        self.record_path()
        return file

    def record_path(self):
        """Both ends and the router, at the same time."""
        runs = []
        for name, netns in (("client", one), ("forwarded", router), ("server", two)):
            command = [self.tracer, "record", "-q", "-w", self.folder / f"{name}.pcapng", "--netns", netns, "--packets", "all"]
            if netns == router:
                command.append("--forwarded")
            runs.append(subprocess.Popen([str(part) for part in command], stderr=subprocess.PIPE, text=True))
        for tracer in runs:  # "Tracing ...": every hook is live
            expect(tracer.stderr.readline() != "", "a recorder did not begin")
        server = subprocess.Popen(inside(two) + [sys.executable, str(load), "serve", "10.77.2.1", "4711", "3"], stdout=subprocess.PIPE, text=True)
        equal(server.stdout.readline(), "ready\n", "the server")
        must(inside(one) + [sys.executable, load, "ask", "10.77.2.1", "4711", "3"])
        server.wait(20)
        for tracer in runs:
            tracer.send_signal(signal.SIGINT)
        for tracer in runs:
            equal(tracer.wait(20), 0, "a recorder ended with")


# ---- Without the plugin ----

def without_it_files_open(lab):
    for name in ("healthy", "troubled", "forwarded"):
        file = lab.recorded(name)
        equal(lab.frames(file, "_ws.malformed", home=lab.bare), [], f"{name}: malformed")
        states = lab.frames(file, 'systemd_journal.message contains "→"', home=lab.bare)
        expect(len(states) >= (0 if name == "forwarded" else 20), f"{name}: only {len(states)} transitions are rows")


def nothing_healthy_is_marked(lab):
    for name in ("healthy", "client", "server", "forwarded"):
        odd = lab.rows(lab.recorded(name), "tcp.analysis.flags && !tcp.analysis.window_update", "frame.number", "_ws.col.Info", home=lab.bare)
        equal(odd, [], f"{name}: what tshark marks")
    again = "tcp.analysis.retransmission || tcp.analysis.out_of_order || tcp.analysis.spurious_retransmission"
    odd = lab.rows(lab.recorded("large"), again, "frame.number", "_ws.col.Info", home=lab.bare)
    equal(odd, [], "large: what tshark takes for sent again")
    # Without ordinary segments there are holes, and nothing is marked but these.
    holes = "tcp.analysis.lost_segment || tcp.analysis.ack_lost_segment || tcp.analysis.window_update"
    odd = lab.rows(lab.recorded("events"), f"tcp.analysis.flags && !({holes})", "frame.number", "_ws.col.Info", home=lab.bare)
    equal(odd, [], "events: what tshark marks")


def segment_of(row):
    return tuple(row)


def each_segment_is_there_once(lab):
    """All of them: as many packets as there are segments, those that came by twice counted once."""
    for name, most in (("healthy", 1), ("forwarded", 1), ("client", 1)):
        file = lab.recorded(name)
        packets = lab.rows(file, "tcp", "ip.id", "ipv6.src", "tcp.srcport", "tcp.dstport", "tcp.seq_raw", "tcp.ack_raw", "tcp.len",
                           "tcp.flags", "tcp.options.timestamp.tsval", home=lab.bare)
        counts = collections.Counter(json.dumps(row) for row in packets)
        expect(packets and max(counts.values()) <= most, f"{name}: a segment is there {max(counts.values())} times")
        segments = [one for one in lab.read(file, "--trace", "--packets", "all") if one["type"] == "segment"]
        if name == "healthy":  # each went out and came in
            equal(len(segments), 2 * len(packets), "healthy: events of segments for so many packets")
    copies = lab.rows(lab.recorded("forwarded"), "tcpwitness.copy_of", "tcpwitness.copy_of", "tcpwitness.interface")
    packets = lab.frames(lab.recorded("forwarded"), "tcp")
    equal(len(copies), len(packets), "forwarded: copies at the other interface")
    equal({row[1][0] for row in copies}, {"down1", "down2"}, "forwarded: their interfaces")
    equal(sorted({int(row[0][0]) for row in copies}), packets, "forwarded: the packets of the copies")


# ---- With it ----

def transitions_are_those_that_read_tells(lab):
    for name in ("healthy", "events", "troubled", "client", "server"):
        file = lab.recorded(name)
        reported = [one for one in lab.read(file, "--trace", "--packets", "all") if one["type"] == "state"]
        expect(len(reported) >= 10, f"{name}: {len(reported)} transitions")
        shown = lab.rows(file, "tcpwitness.state", "tcpwitness.conn", "tcpwitness.state.from", "tcpwitness.state",
                         "tcpwitness.inferred", "tcpwitness.cause.kind", "tcpwitness.cause.what", "tcpwitness.cause.event")
        wanted = []
        for state in reported:
            cause = state.get("cause", {})
            wanted.append([[str(state["conn"])], [state["from"]], [state["to"]], ["1"] if state.get("inferred") else [],
                           [cause["kind"]] if cause else [], [cause["what"]] if cause else [], [str(cause["id"])] if "id" in cause else []])
        equal(shown, wanted, f"{name}: transitions")


def causes_lead_to_the_segment(lab):
    for name in ("healthy", "events", "troubled", "client", "server"):
        file = lab.recorded(name)
        entries = lab.read(file, "--trace", "--packets", "all")
        segments = {one["id"]: one for one in entries if one["type"] == "segment"}
        packets = {row[0][0]: row for row in lab.rows(file, "tcp", "frame.number", "tcp.seq_raw", "tcp.ack_raw", "tcp.len", "tcp.srcport", "tcpwitness.effect")}
        for passes in (1, 2):
            rows = lab.rows(file, 'tcpwitness.cause.kind == "segment"', "frame.number", "tcpwitness.cause", "tcpwitness.cause.event", passes=passes)
            expect(len(rows) >= 5, f"{name}: {len(rows)} causes")
            for number, cause, event in rows:
                expect(len(cause) == 1, f"{name}: frame {number[0]} has the causes {cause}")
                segment, packet = segments[int(event[0])], packets[cause[0]]
                sender = segment["remote"] if segment["dir"] == "in" else segment["local"]
                equal([int(packet[i][0]) for i in (1, 2, 3, 4)], [segment["seq"], segment["ack"], segment["len"], sender["port"]],
                      f"{name}: frame {cause[0]}, the cause of {number[0]}")
                expect(number[0] in packet[5], f"{name}: frame {cause[0]} does not lead to {number[0]}, but to {packet[5]}")


def processes_are_named(lab):
    for name in ("troubled", "client"):
        file = lab.recorded(name)
        entries = lab.read(file, "--trace")
        shown = {row[0][0]: row for row in lab.rows(file, "tcpwitness.state && tcpwitness.event", "tcpwitness.event", "tcpwitness.pid", "tcpwitness.process")}
        acted = [one for one in entries if one["type"] == "state" and "pid" in one and not one.get("inferred")]
        expect(len(acted) >= 3, f"{name}: {len(acted)} transitions by a process")
        for state in acted:
            equal(shown[str(state["id"])][1:], [[str(state["pid"])], [state["comm"]]], f"{name}: event {state['id']}")
        # A filter by process or connection finds its packets too.
        packets = lab.rows(file, "tcp && tcpwitness.conn", "tcpwitness.conn", "tcp.port", "tcpwitness.process")
        for life in (one for one in entries if one["type"] == "life" and one.get("pid")):
            found = [row for row in packets if str(life["conn"]) in row[0]]
            expect(len(found) >= 2, f"{name}: connection {life['conn']} has {len(found)} packets")
            for _, ports, process in found:
                equal(sorted(map(int, ports)), sorted([life["local"]["port"], life["remote"]["port"]]), f"{name}: ports of a packet of it")
                expect(life["comm"] in process, f"{name}: a packet of {life['comm']} is of {process}")
        equal(len(lab.frames(file, "tcp && tcpwitness.conn == 1")), len([row for row in packets if "1" in row[0]]), f"{name}: packets of connection 1")


def findings_are_expert_information(lab):
    file = lab.recorded("troubled")
    entries = lab.read(file)
    reported = [[[str(one["conn"]) if one["conn"] else "0"], [one["rule"]], [one["confidence"]], [str(i) for i in one["evidence"]]] for one in entries if one["type"] == "finding"]
    expect(any(one[1] == ["reset-origin"] for one in reported), f"no finding: {reported}")
    equal(lab.rows(file, "tcpwitness.finding", "tcpwitness.conn", "tcpwitness.finding", "tcpwitness.confidence", "tcpwitness.evidence.event"),
          reported, "findings")
    lives = [[[str(one["conn"])], [one["outcome"]]] for one in entries if one["type"] == "life"]
    equal(lab.rows(file, "tcpwitness.outcome", "tcpwitness.conn", "tcpwitness.outcome"), lives, "outcomes")
    # Where the evidence is, and back.
    rows = lab.rows(file, 'tcpwitness.finding == "reset-origin"', "frame.number", "tcpwitness.evidence")
    expect(rows and all(row[1] for row in rows), f"no evidence to click: {rows}")
    back = {row[0][0]: row[1] for row in lab.rows(file, "tcpwitness.evidence_of", "frame.number", "tcpwitness.evidence_of")}
    for number, evidence in rows:
        for frame in evidence:
            expect(number[0] in back.get(frame, []), f"frame {frame} does not lead to the finding in {number[0]}")
    expert = lab.tshark("-n", "-r", file, "-q", "-z", "expert").stdout
    for severity, word in (("certain", "Warns"), ("time-wait", "Chats")):
        expect(word in expert, f"no {word} in {expert}")
    certain = [one for one in reported if one[2] == ["certain"] and one[1] != ["time-wait"]]
    lines = [line for line in expert.splitlines() if "finding reset-origin (certain)" in line]
    expect(lines and certain, f"the finding is not in Expert Information: {expert}")


def the_profile_loads(lab):
    done = lab.tshark("-C", "tcpwitness", "--color", "-r", lab.recorded("troubled"), "-T", "fields", "-e", "frame.coloring_rule.name")
    equal(done.stderr, "", "tshark -C tcpwitness --color complains")
    used = set(done.stdout.splitlines())
    for rule in ("finding, certain", "transition", "end of a connection", "reset, refused, timed out, aborted", "other kernel row"):
        expect(f"tcpwitness: {rule}" in used, f"the rule '{rule}' colours nothing: {used}")
    lines = lab.tshark("-n", "-C", "tcpwitness", "-r", lab.recorded("troubled"), "-Y", 'tcpwitness.state == "SYN_SENT"').stdout.splitlines()
    expect(lines and all("SYN_SENT" in line and "python3" in line and "tcpwitness" in line for line in lines), f"columns: {lines}")


def fields_have_filters(lab):
    file = lab.recorded("troubled")
    known = lab.tshark("-G", "fields").stdout
    for name in ("state", "process", "pid", "cause", "finding", "confidence", "conn", "event", "outcome"):
        expect(f"\ttcpwitness.{name}\t" in known, f"there is no tcpwitness.{name}")
    for what in ("tcpwitness", 'tcpwitness.process == "python3"', "tcpwitness.cause", "tcpwitness.effect", "tcpwitness.cause.delay >= 0", "tcpwitness.cause.what contains \"SYN\"",
                 'tcpwitness.type == "reset"', 'tcpwitness.outcome == "refused"'):
        expect(lab.frames(file, what), f"no frame matches {what}")


# ---- Hostile content ----

FIELDS = [f"tcpwitness.{name}" for name in ("text", "process", "local", "remote", "cause.what", "state", "finding", "confidence", "outcome", "interface")]


def blocks_of(data):
    at = 0
    while at + 12 <= len(data):
        kind, length = struct.unpack_from("<II", data, at)
        yield kind, data[at + 8:at + length - 4]
        at += length


def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def mutate(body, rng):
    body = bytearray(body)
    what = rng.randrange(9)
    if what == 0:
        for _ in range(rng.randrange(1, 20)):
            body[rng.randrange(len(body))] = rng.randrange(256)
    elif what == 1:
        body = body[:rng.randrange(len(body))]
    elif what == 2:  # control characters and broken UTF-8 in a name
        at = body.find(b"\n_COMM=")
        junk = bytes(rng.choice((b"\x1b[31m", b"\x07", b"\xff\xfe", b"\xed\xa0\x80", b"\xc2\x9b", b"%s%n", b"\xf4\x90\x80\x80", b"<script>")))
        at = at + 7 if at >= 0 else rng.randrange(len(body))
        body[at:at] = junk
    elif what == 3:  # huge fields
        at = body.find(b"\nTCPWITNESS_")
        body[at:at] = b"\nTCPWITNESS_CAUSE_WHAT=" + b"A" * rng.choice((1000, 65000, 300000))
    elif what == 4:  # numbers that are none, and too large ones
        for name in (b"EVENT", b"CONN", b"CAUSE_EVENT", b"CAUSE_DELAY_NS", b"EVIDENCE"):
            value = rng.choice((b"99999999999999999999999", b"-1", b"0x10", b"1e9", b"", b"18446744073709551615", b"999999999999999", b"," * 5000, b"1," * 5000))
            at = body.find(b"\nTCPWITNESS_" + name + b"=")
            if at >= 0:
                end = body.find(b"\n", at + 1)
                body[at + 13 + len(name):end] = value
    elif what == 5:  # a binary field whose length lies
        at = body.find(b"\nTCPWITNESS_RECORD\n")
        if at >= 0:
            body[at + 19:at + 27] = struct.pack("<Q", rng.choice((0, 1, 2**63, 2**64 - 1, len(body), 2**32)))
    elif what == 6:
        body = body.replace(b"=", b"", rng.randrange(1, 5))
    elif what == 7:
        body = body.replace(b"\n", b"", rng.randrange(1, 5))
    else:
        at = rng.randrange(len(body))
        body[at:at] = body[:rng.randrange(len(body))]
    return bytes(body)


def hostile_rows_are_no_error(lab):
    data = lab.recorded("troubled").read_bytes()
    blocks = list(blocks_of(data))
    seed = int(os.environ.get("SEED", "20261126"))
    rng = random.Random(seed)
    file = lab.folder / "hostile.pcapng"
    count = 0
    with open(file, "wb") as out:
        for _ in range(8):
            for kind, body in blocks if count == 0 else blocks[1:]:
                if kind == 9 and rng.random() < 0.8:
                    body = mutate(body, rng)
                    # Wireshark itself refuses an entry without its whole time, and the file with it.
                    if not re.match(rb"__REALTIME_TIMESTAMP=\d{16}\n", body) or len(body) > 250000:
                        body = b"__REALTIME_TIMESTAMP=1700000000000000\n" + body[:250000]
                    count += 1
                out.write(block(kind, body))
    expect(count > 300, f"{count} rows were changed")
    for arguments in (["-V"], ["-2", "-V"], []):
        done = lab.tshark("-n", "-r", file, *arguments)
        wrong = [line for line in (done.stdout + done.stderr).splitlines() if "Lua Error" in line or "ERROR" in line or "WARNING" in line]
        equal(wrong, [], f"seed {seed}")
    for row in lab.rows(file, "tcpwitness.type", *FIELDS, "_ws.col.Info"):
        for cell in row:
            expect(all(ord(letter) >= 32 and not 127 <= ord(letter) < 160 for text in cell for letter in text), f"seed {seed}: a control character came through: {cell!r}")
    # Cut off anywhere.
    whole = lab.recorded("events").read_bytes()
    for _ in range(6):
        cut = lab.folder / "cut.pcapng"
        cut.write_bytes(whole[:rng.randrange(200, len(whole))])
        done = run(["tshark", "-n", "-r", cut, "-V"], env=lab.environment(lab.home))
        expect("Lua Error" not in done.stdout + done.stderr, f"cut at {cut.stat().st_size}")


def it_may_be_installed_twice(lab):
    """By the package and by a user: both are loaded, and both interfaces have one name."""
    lua = lab.home / ".local/lib/wireshark/plugins/tcpwitness.lua"
    second = lua.with_name("zz-again.lua")
    shutil.copy(lua, second)
    try:
        equal(lab.tshark("-n", "-r", lab.recorded("events"), "-c", "5").stderr, "", "tshark complains of a second plugin")
        expect(lab.frames(lab.recorded("events"), "tcpwitness.state"), "and neither works")
    finally:
        second.unlink()
    extcaps = lab.folder / "extcap"
    extcaps.mkdir()
    shutil.copy(extcap_of(lab), extcaps)
    done = run(["tshark", "-D"], env=lab.environment(lab.home) | {"WIRESHARK_EXTCAP_DIR": str(extcaps)})
    equal(done.stdout.count("tcpwitness: kernel and wire"), 1, "interfaces in the list")


def merged_recordings_refer_to_nothing_wrong(lab):
    """Two recordings in one file have the same numbers: then nothing is referred to that may be the other's."""
    file = lab.folder / "merged.pcapng"
    file.write_bytes(lab.recorded("client").read_bytes() + lab.recorded("troubled").read_bytes())
    packets = {row[0][0]: row for row in lab.rows(file, "tcp", "frame.number", "tcp.port")}
    references = 0
    for number, cause, local, remote in lab.rows(file, "tcpwitness.cause", "frame.number", "tcpwitness.cause", "tcpwitness.local", "tcpwitness.remote"):
        ports = sorted(int(end[0].rsplit(":", 1)[1]) for end in (local, remote))
        if cause and cause[0] in packets:
            equal(sorted(map(int, packets[cause[0]][1])), ports, f"frame {cause[0]}, the cause of {number[0]}")
            references += 1
    print(f"        {references} references", flush=True)


# ---- Extcap ----

def extcap_lists_its_interface(lab):
    listed = lab.tshark("-D").stdout
    expect("tcpwitness (tcpwitness: kernel and wire)" in listed, f"not listed: {listed}")
    expect("EN10MB" in lab.tshark("-i", "tcpwitness", "-L").stdout, "no link type")
    script = extcap_of(lab)
    config = must([script, "--extcap-interface", "tcpwitness", "--extcap-config"])
    for call in ("--filter", "--duration", "--packets", "--snaplen", "--netns"):
        expect(f"{{call={call}}}" in config, f"no {call} in {config}")
    expect(must([script, "--extcap-interfaces", "--extcap-version=4.0"]).startswith("extcap {"), "its version")
    equal(run([script]).returncode, 2, "without arguments")
    hostile = run([script, "--capture", "--extcap-interface", "tcpwitness", "--fifo", lab.folder / "no", "--filter", "-w /etc/passwd"])
    equal(hostile.returncode, 2, "a filter that is an option")
    expect(not (lab.folder / "no").exists(), "and wrote something")


def extcap_ends_after_its_duration(lab):
    """0 in every form is "until stopped"; what is small is no 0."""
    programs = lab.folder / "instead"
    programs.mkdir()
    (programs / "tcpwitness").write_text("#!/bin/sh\necho \"$*\"\n")
    (programs / "tcpwitness").chmod(0o755)
    for duration, wanted in (("", ""), ("0", ""), ("0.0", ""), ("0.000000", ""), ("0.05", "-d 0.05"), ("10", "-d 10"), ("1.0", "-d 1.0"), ("x", "-d x")):
        told = lab.folder / "told"
        must(["sh", here.parents[1] / "wireshark/extcap.sh", "--capture", "--fifo", told, "--duration", duration],
             env=os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"})
        equal(" ".join(re.findall(r"-d \S+", told.read_text())), wanted, f"a duration of '{duration}'")


def extcap_of(lab):
    return lab.home / ".config/wireshark/extcap/tcpwitness"


def extcap_records_live(lab):
    file = lab.folder / "live.pcapng"
    more = {"env": lab.environment(lab.home)}
    # tshark's filter is asked of the kernel: connections to other ports are not in it.
    capture = subprocess.Popen(inside(one) + ["tshark", "-n", "-i", "tcpwitness", "-f", "port 7100", "-a", "duration:20", "-w", str(file)],
                               stderr=subprocess.PIPE, text=True, **more)
    try:
        deadline = time.monotonic() + 15
        servers = []
        for port in ("7100", "7200"):
            servers.append(subprocess.Popen(inside(one) + [sys.executable, str(load), "serve", "127.0.0.1", port, "1000"], stdout=subprocess.PIPE, text=True))
            equal(servers[-1].stdout.readline(), "ready\n", "the server")
        found = []
        while not found and time.monotonic() < deadline:
            for port in ("7100", "7200"):
                must(inside(one) + [sys.executable, load, "ask", "127.0.0.1", port, "1"])
            time.sleep(0.3)
            if file.exists():
                done = run(["tshark", "-n", "-r", file, "-Y", 'tcpwitness.state == "ESTABLISHED" && tcpwitness.cause', "-T", "fields", "-e", "tcpwitness.cause"], **more)
                found = done.stdout.split()
        capture.send_signal(signal.SIGINT)
        capture.wait(20)
        expect(found, f"nothing was recorded: {capture.stderr.read()}")
    finally:
        for server in servers:
            server.kill()
        if capture.poll() is None:
            capture.kill()
    expect(lab.frames(file, "tcp.port == 7100"), "no packets")
    equal(lab.frames(file, "tcp.port == 7200"), [], "packets that the filter leaves out")
    expect(lab.frames(file, "tcpwitness.process"), "no process")


# ---- Installing ----

def install(lab, *arguments, home=None):
    return run([lab.tracer, "wireshark", *arguments], env=lab.environment(home or lab.home))


def older(text):
    """As another version would have installed it: with another text, and the digest of that."""
    text = re.sub(r' \(text [0-9a-f]{16}\)', "", text, count=1) + "-- older\n"
    digest = 0xCBF29CE484222325
    for byte in text.encode():
        digest = (digest ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    mark = '"tcpwitness wireshark --install"'
    return text.replace(mark, f"{mark} (text {digest:016x})", 1)


def it_installs_and_uninstalls(lab):
    home = lab.folder / "other home's"
    home.mkdir()
    first = install(lab, "--install", home=home)
    equal([first.returncode, first.stdout.count("installed ")], [0, 5], "the first time")
    expect("root" in first.stderr and "cannot" not in first.stderr, f"as root: {first.stderr}")
    files = sorted(path for path in home.rglob("*") if path.is_file())
    equal(len(files), 5, "files")
    expect("tcpwitness (tcpwitness: kernel and wire)" in lab.tshark("-D", home=home).stdout, "not listed")
    again = install(lab, "--install", home=home)
    equal([again.returncode, again.stdout.count("up to date")], [0, 5], "the second time")
    equal(install(lab, home=home).stdout.count("installed "), 5, "what is there")
    # An older one of ours is replaced; what somebody else has written is not, nor what somebody has changed.
    lua, colours, buttons = (next(path for path in files if path.name == name) for name in ("tcpwitness.lua", "colorfilters", "dfilter_buttons"))
    before = lua.read_text()
    lua.write_text(older(before))
    colours.write_text("# mine\n")
    changed = buttons.read_text() + '"TRUE","Mine","tcp.port == 443",""\n'
    buttons.write_text(changed)
    third = install(lab, "--install", home=home)
    equal([third.returncode, lua.read_text(), colours.read_text(), buttons.read_text()], [1, before, "# mine\n", changed], "with files of somebody else")
    expect("colorfilters is not of tcpwitness" in third.stderr.replace("\n", " "), third.stderr)
    expect("dfilter_buttons was changed since it was installed" in third.stderr.replace("\n", " "), third.stderr)
    target = home / "elsewhere"
    target.write_text("precious\n")
    lua.unlink()
    lua.symlink_to(target)
    install(lab, "--install", home=home)
    equal(target.read_text(), "precious\n", "behind a link")
    lua.unlink()
    last = install(lab, "--uninstall", home=home)
    equal([last.returncode, last.stdout.count("removed ")], [1, 2], "uninstalling")
    equal(sorted(path.name for path in home.rglob("*") if path.is_file()), ["colorfilters", "dfilter_buttons", "elsewhere"], "what is left")
    equal(buttons.read_text(), changed, "what was changed")
    colours.unlink()
    buttons.unlink()
    for again in ("--uninstall", "--install", "--uninstall"):  # the first: nothing is there, and no directory is ours
        equal(install(lab, again, home=home).returncode, 0, again)
    equal(sorted(path.name for path in home.iterdir()), ["elsewhere"], "directories that are left")
    expect("tcpwitness" not in lab.tshark("-D", home=home).stdout, "it is still listed")
    # Directories that have something else in them stay, and so does the home.
    (home / ".config").mkdir()
    (home / ".config/else").write_text("")
    install(lab, "--install", home=home)
    equal(install(lab, "--uninstall", home=home).returncode, 0, "uninstalling at last")
    equal(sorted(path.name for path in home.rglob("*")), [".config", "else", "elsewhere"], "what is left at last")
    # What cannot be looked at is nobody's.
    shutil.rmtree(home / ".config")
    (home / ".config").write_text("")
    for arguments in (("--install",), ("--uninstall",), ()):
        hidden = install(lab, *arguments, home=home)
        equal(hidden.returncode, 1, "where a directory is none")
        said = " ".join(hidden.stderr.split())
        expect("colorfilters: Not a directory" in said and "not of tcpwitness" not in said, said)


checks = [it_installs_and_uninstalls, without_it_files_open, nothing_healthy_is_marked, each_segment_is_there_once,
          transitions_are_those_that_read_tells, causes_lead_to_the_segment, processes_are_named, findings_are_expert_information,
          fields_have_filters, the_profile_loads, hostile_rows_are_no_error, it_may_be_installed_twice, merged_recordings_refer_to_nothing_wrong,
          extcap_lists_its_interface, extcap_ends_after_its_duration, extcap_records_live]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tracer", default="build/tcpwitness")
    parser.add_argument("--keep", help="a directory, where the recordings stay")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    for program in ("tshark", "ip"):
        if shutil.which(program) is None:
            print(f"there is no {program}")
            return 77
    if os.geteuid() != 0:
        print("recording needs root")
        return 77
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(os.path.abspath(options.tracer), options.keep or folder)
        try:
            lab.open()
            can = run([lab.tracer, "record", "-q", "-w", lab.folder / "can.pcapng", "--netns", one, "--", "true"])
            if can.returncode != 0:
                print(can.stderr.strip().splitlines()[-1])
                return 77
            install(lab, "--install")
            for check in checks:
                if options.names and check.__name__ not in options.names:
                    continue
                start = time.monotonic()
                try:
                    check(lab)
                    print(f"ok      {check.__name__} ({time.monotonic() - start:.1f} s)", flush=True)
                except (Wrong, subprocess.TimeoutExpired) as error:
                    wrong += 1
                    print(f"FAILED  {check.__name__}: {error}", flush=True)
        finally:
            lab.close()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
