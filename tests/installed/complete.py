#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Completes in real shells: types a beginning and TAB into bash, zsh and fish on a terminal, and looks at what they make of it.

    complete.py DIRECTORY        of the completions (build/manual/completions)
"""

import concurrent.futures
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

# What is typed, then what must be offered, or what the line becomes.
cases = [
    ("tcpwitness expl", ["explain"]),
    ("tcpwitness r", ["record", "read"]),
    ("tcpwitness explain --out", ["--output", "--outcome"]),
    ("tcpwitness --rin", ["--ring-size"]),
    ("tcpwitness record --flight", ["--flight-recorder"]),
    ("tcpwitness life -o js", ["json"]),
    ("tcpwitness explain --output=", ["json", "text"]),
    ("tcpwitness --outcome connect-", ["connect-timeout", "connect-unsent"]),
    ("tcpwitness record --on zero", ["zero-window"]),
    ("tcpwitness --finding late,zero", ["zero-window"]),
    ("tcpwitness summary --by lis", ["listener"]),
    ("tcpwitness doctor --findings keep", ["keepalive"]),
    ("tcpwitness --columns first", ["first-byte"]),
    ("tcpwitness serve --labels process,list", ["listener"]),
    ("tcpwitness serve --label-", ["--label-limit"]),
    ("tcpwitness --wire xdp-", ["xdp-native", "xdp-generic"]),
    ("tcpwitness -i l", ["lo"]),
    ("tcpwitness --uid roo", ["root"]),
    ("tcpwitness read capt", ["capture.pcap"]),
    ("tcpwitness read --tra", ["--trace"]),
]
# What is not for the command must not be offered.
absent = [
    ("tcpwitness read --ring", "--ring-size"),
    ("tcpwitness life --flight", "--flight-recorder"),
    ("tcpwitness explain -o w", "wide"),
]

start = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "--private", "-i"],
}
setup = {
    "bash": "PS1='READY> '; bind 'set show-all-if-ambiguous on' 'set bell-style none' 'set page-completions off'; source {dir}/tcpwitness.bash",
    "zsh": "PS1='READY> '; unsetopt beep; setopt nolistbeep; fpath=({dir} $fpath); autoload -Uz compinit; compinit -u -D; "
           "zstyle ':completion:*' list-prompt ''; LISTMAX=1000",
    "fish": "function fish_prompt; echo -n 'READY> '; end; function fish_greeting; end; source {dir}/tcpwitness.fish",
}


def offered(word, shown):
    """As a word of its own: "lo" is not in "--slower-than"."""
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", shown) is not None


class Shell:
    """A shell on a terminal of its own."""

    def __init__(self, name, completions, folder):
        environment = {"PATH": os.environ["PATH"], "TERM": "dumb" if name != "fish" else "xterm", "HOME": folder, "LC_ALL": "C.UTF-8",
                       "XDG_CONFIG_HOME": folder, "XDG_DATA_HOME": folder, "XDG_CACHE_HOME": folder, "COLUMNS": "200", "LINES": "100"}
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(start[name][0], start[name], environment)
        import fcntl, struct, termios
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 100, 200, 0, 0))
        self.read(quiet=1.0, limit=20)
        self.send(setup[name].format(dir=completions) + "\n")
        self.read(until="READY> ", limit=20)
        self.read(quiet=0.5)

    def send(self, text):
        os.write(self.fd, text.encode())

    def read(self, until=None, quiet=None, limit=8.0):
        """What is printed until some text stands there, or until nothing comes for so long."""
        text = ""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            wait = quiet if quiet is not None else end - time.monotonic()
            if not select.select([self.fd], [], [], max(wait, 0))[0]:
                break
            try:
                got = os.read(self.fd, 65536).decode(errors="replace")
            except OSError:
                break
            if "\x1b[c" in got or "\x1b[0c" in got:
                self.send("\x1b[?62c")  # fish asks which terminal this is
            text += got
            if until is not None and until in text:
                break
        return text

    def complete(self, beginning, wanted):
        self.send(beginning + "\t\t")
        text, end = "", time.monotonic() + 20
        while time.monotonic() < end:  # as long as something wanted is not there
            text += self.read(quiet=0.3, limit=2)
            shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]", "", text)
            if wanted is not None and all(offered(one, shown) for one in wanted):
                break
            if wanted is None and time.monotonic() > end - 17:
                break
        self.send("\x15\x03")  # an empty line again
        self.read(quiet=0.3, limit=3)
        return shown

    def close(self):
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        finally:
            os.close(self.fd)


def try_shell(name, completions):
    """What is wrong in one shell, and how many cases are right."""
    wrong, good = [], 0
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "capture.pcap").touch()
        shell = Shell(name, completions, folder)
        for beginning, wanted in cases:
            shown = shell.complete(beginning, wanted)
            missing = [one for one in wanted if not offered(one, shown)]
            good += not missing
            if missing:
                wrong.append(f"{name}: {beginning!r} offers no {', '.join(missing)}: {shown[-300:]!r}")
        for beginning, never in absent:
            shown = shell.complete(beginning, None)
            good += never not in shown
            if never in shown:
                wrong.append(f"{name}: {beginning!r} offers {never}")
        shell.close()
    return wrong, good


def main():
    completions = pathlib.Path(sys.argv[1]).resolve()
    wrong = [f"there is no {name}" for name in start if shutil.which(name) is None]
    there = [name for name in start if shutil.which(name) is not None]
    with concurrent.futures.ThreadPoolExecutor() as pool:  # they mostly wait
        for name, (faults, good) in zip(there, pool.map(lambda name: try_shell(name, completions), there)):
            print(f"{name}: {good} of {len(cases) + len(absent)}")
            wrong += faults
    for text in wrong:
        print(text)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
