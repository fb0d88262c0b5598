#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs commands in a terminal of its own and keeps what they really printed: an asciinema cast (v2), and the last screen as SVG.

    cast.py --cast FILE.cast --svg FILE.svg [--columns N] [--show 'WHAT THE PROMPT SHOWS'] -- COMMAND [ARGUMENT...]

Nothing is made up but the prompt. Times are those of the run. The SVG has text, no script, nothing from elsewhere.
"""

import argparse
import codecs
import fcntl
import json
import os
import pty
import re
import struct
import sys
import termios
import time
import xml.sax.saxutils

colours = {30: "#4b5563", 31: "#f87171", 32: "#4ade80", 33: "#fbbf24", 34: "#60a5fa", 35: "#c084fc", 36: "#22d3ee", 37: "#e5e7eb",
           90: "#9ca3af", 91: "#fca5a5", 92: "#86efac", 93: "#fde68a", 94: "#93c5fd", 95: "#d8b4fe", 96: "#67e8f9", 97: "#ffffff"}
plain, paper = "#e5e7eb", "#111827"


def run(command, columns, rows):
    """(seconds, text) as it came, and the exit code."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", LANG="C.UTF-8", LC_ALL="C.UTF-8")
        os.environ.pop("COLUMNS", None)
        time.sleep(0.2)  # the window's size comes first
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    began, events = time.monotonic(), []
    while True:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # EIO: the other end is closed
            data = b""
        if not data:
            break
        events.append((time.monotonic() - began, decoder.decode(data)))
    _, status = os.waitpid(pid, 0)
    return events, os.waitstatus_to_exitcode(status)


class Screen:
    """Lines of (character, colour, bold): as much of a terminal as the output of these programs needs."""

    def __init__(self, columns):
        self.columns = columns
        self.lines, self.at, self.colour, self.bold, self.dim = [[]], 0, plain, False, False

    def feed(self, text):
        for part in re.split(r"(\x1b\[[0-9;?]*[A-Za-z])", text):
            if part.startswith("\x1b["):
                self.control(part)
                continue
            for character in part:
                self.put(character)

    def put(self, character):
        if character == "\n":
            self.lines.append([])
        elif character == "\r":
            self.at = 0
            return
        elif character >= " ":
            if self.at >= self.columns:
                self.lines.append([])
                self.at = 0
            line = self.lines[-1]
            line.extend([(" ", plain, False)] * (self.at - len(line)))
            line[self.at:self.at + 1] = [(character, "#9ca3af" if self.dim else self.colour, self.bold)]
            self.at += 1
            return
        self.at = 0 if character == "\n" else self.at

    def control(self, sequence):
        if sequence.endswith("K"):
            del self.lines[-1][self.at:]
        elif sequence.endswith("m"):
            for number in [int(word or 0) for word in sequence[2:-1].split(";")]:
                if number == 0:
                    self.colour, self.bold, self.dim = plain, False, False
                elif number in (1, 22):
                    self.bold, self.dim = number == 1, False
                elif number == 2:
                    self.dim = True
                elif number == 39 or number in colours:
                    self.colour = colours.get(number, plain)


def svg_of(lines, columns, title):
    width, height, margin, step, size = 8.43, 19, 14, 8.43, 14
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {columns * width + 2 * margin:.0f} {len(lines) * height + 2 * margin}" '
           f'font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,DejaVu Sans Mono,monospace" font-size="{size}">',
           f"<title>{xml.sax.saxutils.escape(title)}</title>",
           f'<rect width="100%" height="100%" rx="8" fill="{paper}"/>']
    for row, line in enumerate(lines):
        y, start = margin + (row + 0.75) * height, 0
        while start < len(line):
            end = start
            while end < len(line) and line[end][1:] == line[start][1:]:
                end += 1
            text = "".join(cell[0] for cell in line[start:end])
            left = start + len(text) - len(text.lstrip(" "))
            text = text.strip(" ")
            if text:
                bold = ' font-weight="bold"' if line[start][2] else ""
                # Each run begins where it stood, and is as wide as it was, whatever the font.
                out.append(f'<text x="{margin + left * step:.1f}" y="{y:.1f}" fill="{line[start][1]}"{bold} '
                           f'textLength="{len(text) * step:.1f}" lengthAdjust="spacingAndGlyphs" xml:space="preserve">'
                           f"{xml.sax.saxutils.escape(text)}</text>")
            start = end
    return "\n".join(out + ["</svg>", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cast", required=True)
    parser.add_argument("--svg", required=True)
    parser.add_argument("--columns", type=int, default=124)
    parser.add_argument("--show", help="the command as a reader would give it")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    events, code = run(options.command, options.columns, 40)
    shown = options.show or " ".join(options.command)
    prompt = f"\x1b[32m$\x1b[0m \x1b[1m{shown}\x1b[0m\r\n"
    screen = Screen(options.columns)
    screen.feed(prompt + "".join(text for _, text in events))
    while screen.lines and not screen.lines[-1]:
        screen.lines.pop()
    if code != 0 or len(screen.lines) < 5:
        sys.exit(f"{shown}: exit code {code}, {len(screen.lines)} lines")
    with open(options.cast, "w", encoding="utf-8") as file:
        head = {"version": 2, "width": options.columns, "height": min(60, len(screen.lines) + 1), "title": shown,
                "env": {"TERM": "xterm-256color"}}
        print(json.dumps(head), file=file)
        print(json.dumps([0.3, "o", prompt]), file=file)
        for at, text in events:
            print(json.dumps([round(at + 0.5, 6), "o", text]), file=file)
    with open(options.svg, "w", encoding="utf-8") as file:
        file.write(svg_of(screen.lines, options.columns, shown))
    print(f"{len(events)} events, {len(screen.lines)} lines")


if __name__ == "__main__":
    main()
