#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every `tcpwitness ...` that a page names is one that the program takes: a wrong option ends with 2, whatever the machine.

    commands.py --tracer build/tcpwitness PAGE...
"""

import argparse
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

project = pathlib.Path(__file__).resolve().parents[2]
capture = next(iter(sorted((project / "tests/field/captures").glob("*.pcap"))))


def commands(page):
    text = page.read_text()
    for span in re.findall(r"`(tcpwitness(?: [^`\n]*)?)`", text):
        yield span.replace("\\|", "|")
    for line in re.findall(r"^ {4}(?:sudo )?(tcpwitness .*)$", text, re.M):
        yield re.split(r" {2,}| # ", line)[0]


def arguments(words, folder):
    known = {"FILE": str(capture), "PID": "1", "SECONDS": "1", "N": "5", "NAME": "keepalive", "ADDRESS": "192.0.2.1", "EXPRESSION": "tcp",
             "COMMAND": "true"}
    made = [known.get(word, word) for word in words]
    for at, word in enumerate(made):
        if at > 0 and made[at - 1] in ("-w", "--append"):
            made[at] = str(folder / "out")
        elif re.search(r"\.(html|svg)$", word):
            made[at] = str(folder / word)
        elif "read" in made and re.search(r"\.pcap(ng)?$", word):
            made[at] = str(capture)
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tracer", required=True)
    parser.add_argument("pages", nargs="+", type=pathlib.Path)
    options = parser.parse_args()
    seen, wrong = set(), []
    # It may read files, and not trace: what is live ends with 1.
    environment = dict(os.environ, TCPWITNESS_WITHOUT="privilege")
    with tempfile.TemporaryDirectory() as folder:
        for page in options.pages:
            for command in commands(page):
                if command in seen or "..." in command or command.startswith("tcpwitness: "):
                    continue
                seen.add(command)
                try:
                    words = shlex.split(re.split(r" [>|] ?", command)[0])
                except ValueError as error:
                    wrong.append(f"{page.name}: {command}: {error}")
                    continue
                if len(words) < 3 and words[-1] in ("read", "record", "picture"):
                    continue  # their names alone
                done = subprocess.run([options.tracer, *arguments(words[1:], pathlib.Path(folder))], env=environment, capture_output=True,
                                      text=True, errors="replace", stdin=subprocess.DEVNULL, timeout=60)
                no_screen = words[1:2] == ["top"] and "cannot draw on the terminal" in done.stderr
                if done.returncode not in (0, 1) and not no_screen:
                    wrong.append(f"{page.name}: {command}: {done.returncode}: {done.stderr.strip()[:300]}")
    print("\n".join(wrong))
    print(f"{len(seen)} commands, {len(wrong)} wrong")
    return 1 if wrong or len(seen) < 20 else 0


if __name__ == "__main__":
    sys.exit(main())
