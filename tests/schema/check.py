#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds what tcpwitness prints with -o json against docs/schema, strictly: a field that the schema does not name is wrong here.

    check.py --tracer build/tcpwitness                 what it prints of captures, of this machine, and of itself
    check.py FILE...                                   NDJSON that is there already

The first form also asks that every kind of line in the schema was seen (but for rare ones), from a real run or in the goldens; live
runs need root.
"""

import argparse
import collections
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import jsonschema

project = pathlib.Path(__file__).resolve().parents[2]
# Of a connect() without a free port, and of an ICMP message: no run here makes them.
rare = {"ports", "icmp"}
schema_file = project / "docs/schema/tcpwitness-1.schema.json"


def strict(node):
    """The same schema, in which an object has no fields but those that are named."""
    if isinstance(node, list):
        return [strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {key: strict(value) for key, value in node.items()}
    if node.get("type") == "object" and "properties" in node and "required" in node:
        made["additionalProperties"] = False
    return made


class Checker:
    def __init__(self):
        self.schema = json.loads(schema_file.read_text())
        jsonschema.Draft202012Validator.check_schema(self.schema)
        self.kinds = {rule["if"]["properties"]["type"]["const"]: rule["then"]["$ref"].split("/")[-1] for rule in self.schema["allOf"]}
        definitions = strict(self.schema["$defs"])
        self.validators = {
            kind: jsonschema.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": definitions})
            for kind, name in self.kinds.items()
        }
        self.seen = collections.Counter()
        self.wrong = []

    def line(self, text, whence):
        try:
            found = json.loads(text)
        except ValueError as error:
            return self.wrong.append(f"{whence}: {error}: {text[:120]}")
        kind = found.get("type")
        self.seen[kind] += 1
        if kind not in self.validators:
            return self.wrong.append(f"{whence}: the schema has no type {kind!r}")
        for error in self.validators[kind].iter_errors(found):
            self.wrong.append(f"{whence}: {kind}{''.join(f'/{part}' for part in error.path)}: {error.message[:200]}")

    def lines(self, text, whence):
        count = 0
        for text_line in text.splitlines():
            self.line(text_line, whence)
            count += 1
        if count == 0:
            self.wrong.append(f"{whence}: printed nothing")


def run(tracer, checker, *arguments, codes=(0,)):
    done = subprocess.run([tracer, *arguments, "-o", "json"], capture_output=True, text=True, errors="replace")
    what = " ".join(arguments)
    if done.returncode not in codes:
        checker.wrong.append(f"{what}: exit code {done.returncode}: {done.stderr[-200:]}")
    checker.lines(done.stdout, what)
    return done.stdout


def captures(tracer, checker):
    files = sorted(path for path in (project / "tests/field/captures").rglob("*") if path.suffix in (".pcap", ".pcapng"))
    if not files:
        checker.wrong.append("there are no captures in tests/field/captures")
    for file in files:
        for form in ([], ["--trace", "--packets", "all"]):
            run(tracer, checker, "read", *form, str(file), codes=(0, 1))
    for form in ("--explain", "--summary", "--compare"):
        run(tracer, checker, "read", form, str(files[0]), codes=(0, 1))
    run(tracer, checker, "read", "--summary", "--by", "comm,pid,local,remote,listener,netns,outcome,finding", str(files[-1]), codes=(0, 1))


def names_are_whole(tracer, checker):
    """The schema's outcomes and findings are those of the catalogue."""
    printed = [json.loads(line) for line in run(tracer, checker, "doctor", "--findings").splitlines()]
    for kind, name in (("outcome-entry", "outcome"), ("finding-entry", "rule")):
        have = {entry["name"] for entry in printed if entry["type"] == kind}
        said = set(checker.schema["$defs"][name]["enum"])
        if have != said:
            checker.wrong.append(f"the schema's {name} and the catalogue differ: {sorted(have ^ said)}")


def talk(port):
    """A connection that goes well, one that is reset, and one that is refused."""
    listener = socket.create_server(("127.0.0.1", port))

    def serve():
        for abort in (False, True):
            peer, _ = listener.accept()
            peer.recv(10)
            if abort:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            else:
                peer.sendall(b"answer")
            peer.close()

    server = threading.Thread(target=serve)
    server.start()
    for _ in range(2):
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"question")
            time.sleep(0.6)  # to be sampled, on a busy machine too
            try:
                client.recv(10)
            except ConnectionResetError:
                pass
    server.join()
    listener.close()
    try:
        socket.create_connection(("127.0.0.1", port))
    except ConnectionRefusedError:
        pass


def live(tracer, checker, port, folder):
    recording = folder / "schema.pcapng"
    appended = folder / "lives.ndjson"
    modes = (["life", "--summary"], ["life", "--problems"], ["trace", "--packets", "all", "--sample", "20ms"], ["explain"], ["summary"], ["compare"],
             ["compare", "--every", "0.2"], ["record", "--packets", "all", "-w", str(recording)])
    for command in modes:
        what = " ".join(command)
        tracing = subprocess.Popen([tracer, *command, "-i", "lo", "--port", str(port), "-o", "json"], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, text=True, errors="replace")
        checker.line(tracing.stdout.readline(), what)  # ready
        talk(port)
        tracing.send_signal(signal.SIGINT)
        checker.lines(tracing.communicate(timeout=60)[0], what)
        if tracing.returncode != 0:
            checker.wrong.append(f"{what}: exit code {tracing.returncode}")
    for form in ([], ["--trace"], ["--trace", "--packets", "all"], ["--explain"], ["--summary"], ["--compare"], ["--problems"]):
        run(tracer, checker, "read", *form, str(recording))
    done = subprocess.run([tracer, "life", "-i", "lo", "-d", "0.2", "-o", "json", "--append", str(appended)], capture_output=True, text=True)
    checker.lines(appended.read_text(), "life --append")
    if done.stdout or done.returncode != 0:
        checker.wrong.append(f"life --append: exit code {done.returncode}, {len(done.stdout)} bytes on stdout")
    run(tracer, checker, "ls")
    run(tracer, checker, "ls", "--every", "0.1", "-c", "2")
    run(tracer, checker, "doctor", codes=(0, 1))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tracer")
    parser.add_argument("--port", type=int, default=18432)
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    checker = Checker()
    for file in options.files:
        checker.lines(pathlib.Path(file).read_text(errors="replace"), file)
    if options.tracer:
        captures(options.tracer, checker)
        names_are_whole(options.tracer, checker)
        if os.geteuid() == 0:
            with tempfile.TemporaryDirectory() as folder:
                live(options.tracer, checker, options.port, pathlib.Path(folder))
        else:
            print("live runs, ls and doctor are left out: not root")
        real = dict(checker.seen)
        for file in sorted((project / "tests/golden").glob("*.ndjson")):
            checker.lines(file.read_text(), file.name)
        for kind in checker.kinds:
            if not checker.seen[kind] and kind not in rare:
                checker.wrong.append(f"no line of type {kind} was seen")
        print("real lines:", ", ".join(f"{kind} {count}" for kind, count in sorted(real.items())))
    for text in checker.wrong[:40]:
        print(text)
    print(f"{sum(checker.seen.values())} lines, {len(checker.wrong)} wrong")
    return 1 if checker.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
