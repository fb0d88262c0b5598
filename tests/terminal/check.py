#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`tcpwitness top` in a real terminal (tmux): keys sent, screens compared, sizes changed, and every death it may die.

    check.py --tracer build/tcpwitness [--update] [NAME...]

What is waited for is a condition, with a bound for what never comes. --update writes the expected screens anew.
"""
import argparse
import contextlib
import os
import pathlib
import pty
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import capture

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
PATIENCE = 60.0
LOAD = PROJECT / "tests/terminal/load.py"


def wait_for(condition, what, patience=PATIENCE):
    until = time.monotonic() + patience
    while True:
        got = condition()
        if got:
            return got
        if time.monotonic() > until:
            raise AssertionError(f"never came: {what}")
        time.sleep(0.02)


class Tmux:
    """A server of its own; one window, whose shell is bash without anybody's settings."""

    started = 0

    def __init__(self, width=80, height=24, shell="bash --norc --noprofile", **variables):
        Tmux.started += 1
        self.name = f"twtop-{os.getpid()}-{Tmux.started}"
        environment = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TMUX", "LINES", "COLUMNS")}
        environment.update(LANG="C.UTF-8", LC_ALL="C.UTF-8", TZ="UTC", PS1="$ ", HISTFILE="/dev/null", **variables)
        self.run("-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(height), shell, env=environment)
        self.run("set-option", "-g", "escape-time", "0")
        self.run("set-option", "-g", "window-size", "manual")
        self.run("set-option", "-g", "status", "off")
        self.resize(width, height)

    def run(self, *arguments, env=None):
        done = subprocess.run(["tmux", "-L", self.name, *arguments], capture_output=True, text=True, env=env, check=False)
        if done.returncode != 0:
            raise AssertionError(f"tmux {arguments}: {done.stderr}")
        return done.stdout

    def keys(self, *keys):
        self.run("send-keys", *keys)

    def type(self, text):
        self.run("send-keys", "-l", text)
        self.keys("Enter")

    def screen(self, colours=False):
        text = self.run("capture-pane", "-p", *(["-e"] if colours else []))
        return "\n".join(line.rstrip() for line in text.rstrip("\n").split("\n")) + "\n"

    def state(self, *names):
        return self.run("display-message", "-p", " ".join("#{%s}" % name for name in names)).split()

    def resize(self, width, height):
        self.run("resize-window", "-x", str(width), "-y", str(height))

    def wait(self, pattern, patience=PATIENCE):
        try:
            return wait_for(lambda: re.search(pattern, self.screen(), re.M), pattern, patience)
        except AssertionError as error:
            raise AssertionError(f"{error}; on the screen:\n{self.screen()}") from None

    def wait_not_top(self):
        wait_for(lambda: self.state("alternate_on", "cursor_flag") == ["0", "1"], "the ordinary screen, and a cursor")

    def close(self):
        subprocess.run(["tmux", "-L", self.name, "kill-server"], capture_output=True, check=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Check:
    def __init__(self, tracer, update):
        self.tracer = str(pathlib.Path(tracer).resolve())
        self.update = update
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="twtop-"))
        self.directory.chmod(0o755)
        self.capture = self.directory / "made.pcap"
        capture.write(self.capture)

    def top(self, *arguments):
        return shlex.join([self.tracer, "top", *map(str, arguments)])

    def compare(self, name, screen):
        path = HERE / "golden" / f"{name}.txt"
        if self.update:
            path.write_text(screen)
            return
        expected = path.read_text()
        if screen != expected:
            raise AssertionError(f"differs from {path}:\n{screen}expected:\n{expected}")

    # ---- What cannot be drawn on ----

    def refused_without_a_terminal(self):
        for environment, closed in (({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False), ({"TERM": "no-such-terminal"}, False),
                                    ({"TERM": ""}, False)):
            master, slave = pty.openpty()
            child = subprocess.Popen([self.tracer, "top", self.capture], stdin=slave, stdout=subprocess.PIPE if closed else slave,
                                     stderr=subprocess.PIPE, env={**os.environ, **environment}, text=True)
            _, said = child.communicate(timeout=PATIENCE)
            os.close(slave)
            os.close(master)
            assert child.returncode == 2, (environment, child.returncode)
            assert said.startswith("tcpwitness: cannot draw on the terminal:") and said.count("\n") == 1, said

    def options_of_a_live_run_are_refused(self):
        """With a file; without one they are what they are for, and only the terminal is missing."""
        for option in (["--uid", "0"], ["-d", "1"], ["-c", "1"], ["-i", "lo"], ["--netns", "x"], ["-p", "1", "--children"], ["--wire", "none"],
                       ["--kernel", "off"], ["--forwarded"], ["--flows", "2048"]):
            for file in ([self.capture], []):
                done = subprocess.run([self.tracer, "top", *file, *option], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                      timeout=PATIENCE, check=False)
                assert done.returncode == 2, (option, done)
                assert ("is for live tracing, and this is a file" in done.stderr) == bool(file), (option, done.stderr)

    def speed_needs_a_file(self):
        with Tmux() as tmux:
            tmux.type(self.top("no-such-file", "--speed", "10") + "; echo code=$?")
            tmux.wait(r"^code=2")

    # ---- Screens ----

    def play(self, tmux, *arguments):
        tmux.type(self.top(self.capture, "--speed", "1000", *arguments))
        tmux.wait(r"  END  ")

    def screens_of_a_capture(self):
        with Tmux() as tmux:
            self.play(tmux)
            tmux.keys("T")
            for key, name in (("1", "process"), ("2", "remote"), ("3", "listener"), ("4", "connection")):
                tmux.keys(key)
                tmux.wait(rf"\[{key} {name}\].*  totals")
                self.compare(f"{name}_80", tmux.screen())
            tmux.keys("?")
            tmux.wait("sort by the next column")
            self.compare("help_80", tmux.screen())
            tmux.keys("q")
            tmux.wait(r"\[4 connection\]")
            # In the middle: everything follows.
            tmux.resize(132, 40)
            tmux.wait("FINDING")
            wait_for(lambda: tmux.screen().count("\n") == 40, "40 rows")
            self.compare("connection_132", tmux.screen())
            tmux.keys("3")
            tmux.wait(r"\[3 listener\]")
            self.compare("listener_132", tmux.screen())
            tmux.keys("4", "Enter")
            tmux.wait("SYN")
            self.compare("timeline_132", tmux.screen())
            tmux.keys("e")
            tmux.wait(r"t timeline")
            self.compare("story_132", tmux.screen())
            tmux.keys("q", "q")
            tmux.wait_not_top()

    def sizes_that_are_none(self):
        with Tmux() as tmux:
            self.play(tmux)
            for width, height in ((39, 24), (80, 11), (10, 3), (1, 1), (2, 50), (200, 2)):
                tmux.resize(width, height)
                if width >= 12:
                    tmux.wait("^needs 40x12$")
                else:
                    wait_for(lambda: "Findings" not in tmux.screen(), "another screen")
            tmux.resize(40, 12)
            tmux.wait("Findings")
            tmux.resize(80, 24)
            tmux.wait(r"\[1 process\]")
            assert all(len(line) <= 80 for line in tmux.screen().split("\n"))
            tmux.keys("C-c")
            tmux.wait_not_top()

    def the_environment_has_another_size(self):
        with Tmux() as tmux:
            tmux.type("export LINES=10 COLUMNS=40")
            self.play(tmux)
            wait_for(lambda: tmux.screen().count("\n") == 24, "24 rows")
            tmux.keys("q")
            tmux.wait_not_top()

    def a_locale_that_is_not_installed(self):
        with Tmux() as tmux:
            tmux.type("export LC_ALL=xx_YY.UTF-8 LANG=xx_YY.UTF-8")
            self.play(tmux)
            tmux.wait("▼")
            tmux.keys("q")
            tmux.wait_not_top()
            tmux.type("clear; export LC_ALL=C LANG=C")
            self.play(tmux)
            tmux.wait(r"TX/sv")
            assert tmux.screen().isascii(), tmux.screen()
            tmux.keys("q")

    def no_colour_where_none_is_wanted(self):
        colours = r"\x1b\[[0-9;]*(3[0-7]|38;5|9[0-7])"
        with Tmux(TERM="screen-256color") as tmux:
            self.play(tmux)
            assert re.search(colours, tmux.screen(colours=True))
            tmux.keys("q")
            tmux.wait_not_top()
            tmux.type("clear; export NO_COLOR=1")
            self.play(tmux)
            assert not re.search(colours, tmux.screen(colours=True)), tmux.screen(colours=True)

    def suspended_and_continued(self):
        with Tmux() as tmux:
            self.play(tmux)
            tmux.keys("C-z")
            tmux.wait_not_top()
            tmux.wait("Stopped")
            tmux.type("clear; stty -a | tr ' ' '\\n' | grep -x 'echo;*'")
            tmux.wait("^echo")
            tmux.type("fg")
            tmux.wait(r"\[1 process\]")
            assert tmux.state("alternate_on") == ["1"]
            tmux.keys("q")
            tmux.wait_not_top()

    # ---- In the middle of a file ----

    def the_numbers_of_the_moment(self):
        path = self.directory / "steady.pcap"
        capture.write_steady(path)
        with Tmux() as tmux:
            tmux.type(self.top(path, "--every", "1"))
            # What is over is over 2 s later, and long before the file is.
            tmux.wait(r"[1-4] open  [2-4] ended  0 bad")
            screen = tmux.screen()
            assert "  END  " not in screen, screen
            sent = float(re.search(r"^sent B/s +([\d.]+)K", screen, re.M).group(1))
            assert 7 <= sent <= 13, screen
            begun = float(re.search(r"^new conns/s +([\d.]+)", screen, re.M).group(1))
            assert 0 < begun <= 2.5, screen
            tmux.keys("4", "a")
            tmux.wait(r"^\? +:50000 10\.0\.0\.8:5432 +ESTABLISHED +(9[.\d]*|1[0-3])K")
            # Its ordinary segments are no events.
            tmux.keys("/")
            tmux.type("50000")
            tmux.keys("Enter")
            tmux.wait("seq=1 ack=1 win=64240")
            assert "seq=1001" not in tmux.screen(), tmux.screen()
            assert "  END  " not in tmux.screen(), tmux.screen()
            tmux.keys("C-c")
            tmux.wait_not_top()

    def silence_in_a_file(self):
        """What comes is not shown before its time; nobody waits for years."""
        path = self.directory / "silence.pcap"
        capture.write_with_silence(path)
        with Tmux() as tmux:
            tmux.type(self.top(path, "--every", "0.5"))
            tmux.keys("4")
            tmux.wait(r"0 open  1 ended")
            assert ":40000" in tmux.screen() and ":40001" not in tmux.screen(), tmux.screen()
            tmux.wait(":40001 ")
            assert ":40002" not in tmux.screen(), tmux.screen()
            tmux.wait(r"^\d\d:\d\d:\d\d nothing for 4 years more: jumps there")
            tmux.wait(r"  END  .*0 open  3 ended")
            assert ":40002" in tmux.screen(), tmux.screen()
            tmux.keys("q")
            tmux.wait_not_top()

    def a_file_that_is_not_there(self):
        with Tmux() as tmux:
            for name in ("nosuch.pcap", "nosuch.pcapng"):
                tmux.type("clear; " + self.top(name) + "; echo code=$?")
                tmux.wait(rf"^tcpwitness: cannot open {name}: No such file or directory")
                tmux.wait("^code=1")

    def sentences_are_whole(self):
        with Tmux() as tmux:
            self.play(tmux)
            tmux.keys("?")
            tmux.wait("sort by the next column")
            tmux.keys("End")
            tmux.wait("right to left")
            assert "~" not in tmux.screen(), tmux.screen()
            tmux.keys("q", "4", "p")
            tmux.wait("^of a file: ")
            # And then the keys again.
            tmux.wait(r"^\? help", patience=8)
            tmux.keys("q")
            tmux.wait_not_top()

    # ---- Every death ----

    def top_pid(self, tmux):
        shell = tmux.state("pane_pid")[0]
        def find():
            processes = {}
            for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
                try:
                    text = stat.read_text()
                except OSError:
                    continue
                name = text[text.index("(") + 1:text.rindex(")")]
                processes[stat.parent.name] = (text[text.rindex(")") + 2:].split()[1], name)
            def below(pid):
                parent = processes.get(pid, ("0", ""))[0]
                return parent == shell or (parent not in ("0", "1") and below(parent))
            found = [pid for pid, (_, name) in processes.items() if name == "tcpwitness" and below(pid)]
            return min(map(int, found)) if found else None
        return wait_for(find, "the tracer's process")

    def deaths(self):
        modes = [self.directory / "before", self.directory / "after"]
        for death in ("SIGTERM", "SIGINT", "SIGHUP", "SIGSEGV", "SIGABRT", "SIGQUIT", "SIGKILL", "parent", "C-c"):
            with Tmux() as tmux:
                for path in modes:
                    path.unlink(missing_ok=True)
                tmux.type(f"stty -a >{modes[0]}")
                wait_for(modes[0].exists, "the modes")
                if death == "parent":
                    tmux.type("bash --norc --noprofile")
                self.play(tmux)
                pid = self.top_pid(tmux)
                assert tmux.state("alternate_on", "cursor_flag") == ["1", "0"], tmux.state("alternate_on", "cursor_flag")
                if death == "C-c":
                    tmux.keys("C-c")
                elif death == "parent":
                    parent = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()[1])
                    os.kill(parent, signal.SIGKILL)
                else:
                    os.kill(pid, getattr(signal, death))
                try:
                    tmux.wait_not_top()
                    wait_for(lambda: not pathlib.Path(f"/proc/{pid}").exists(), "its end")
                    tmux.type(f"stty -a >{modes[1]}; echo done")
                    wait_for(lambda: modes[1].exists() and modes[1].read_text(), "the modes")
                    before, after = (path.read_text() for path in modes)
                    assert before == after, f"before:\n{before}after:\n{after}"
                except AssertionError as error:
                    raise AssertionError(f"{death}: {error}\n{tmux.screen()}") from None

    def the_terminal_vanishes(self):
        """SIGHUP is ignored (nohup, a shell that does not pass it on): it ends all the same, and does not spin."""
        for ignored in (False, True):
            master, slave = pty.openpty()
            def before(slave=slave, ignored=ignored):
                os.setsid()
                import fcntl
                import termios
                fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
                if ignored:
                    signal.signal(signal.SIGHUP, signal.SIG_IGN)
            child = subprocess.Popen([self.tracer, "top", self.capture, "--speed", "1000"], stdin=slave, stdout=slave,
                                     stderr=slave, env={**os.environ, "TERM": "screen"}, preexec_fn=before)
            os.close(slave)
            seen = b""
            while b"END" not in seen:
                seen += os.read(master, 65536)
            os.close(master)
            child.wait(timeout=PATIENCE)

    # ---- Live ----

    @contextlib.contextmanager
    def live(self, *load):
        """top in a namespace of its own, and what it watches."""
        if os.geteuid() != 0:
            raise unittest.SkipTest("not root")
        namespace = f"twtop{os.getpid()}"
        inside = ["ip", "netns", "exec", namespace]
        subprocess.run(["ip", "netns", "add", namespace], check=True)
        try:
            subprocess.run([*inside, "ip", "link", "set", "lo", "up"], check=True)
            with Tmux() as tmux:
                tmux.type(f"cd {self.directory}; " + self.top("--netns", namespace, "--every", "0.5"))
                tmux.wait(r"0 open  0 ended")
                played = subprocess.Popen([*inside, sys.executable, "-B", LOAD, *load], stdin=subprocess.PIPE,
                                          stdout=subprocess.PIPE, text=True)
                try:
                    assert played.stdout.readline() == "played\n"
                    yield tmux, played
                finally:
                    played.kill()
                    played.wait()
                tmux.keys("q")
                tmux.wait_not_top()
                tmux.wait(r"\d+ connections")
        finally:
            subprocess.run(["ip", "netns", "del", namespace], check=False)

    def hostile_names(self):
        """What a process calls itself neither moves the cursor nor any column."""
        name = "\x1b[2J漢\u0301\u202eא"
        with self.live("3", name) as (tmux, _):
            tmux.wait("6 ended")
            tmux.keys("T")
            row = tmux.wait(r"^ +\d+ \?\[2J漢\?\?\? .*$").group()
            head = tmux.wait("^ +PID COMM .*$").group()
            # A wide character is one here and two on the screen.
            assert len(row) == len(head) - 1, (head, row)
            assert head.index("OPEN") + 4 == re.search(r" 2 ", row).end(), (head, row)

    def live_numbers(self):
        with self.live("150") as (tmux, load):
            # Both ends of 150, and of one that goes on.
            tmux.wait(r"2 open  300 ended  0 bad")
            tmux.keys("T", "3")
            # 151 and 151 began; 150 requests of 1,000 bytes, answers of 100; the one that goes on: 10 and 20.
            tmux.wait(r"^127\.0\.0\.1:7777 +2 +302 +\S+ +\S+ +0 +0 +0 +0$")
            screen = tmux.screen()
            row = re.search(r"^127\.0\.0\.1:7777 .*$", screen, re.M).group().split()
            assert row[3] == row[4] == "161K", screen  # 150 * 1100 + 30 bytes, both ends
            tmux.keys("4", "a")
            tmux.wait("only open")
            tmux.keys("Enter")
            tmux.wait("ESTABLISHED")
            tmux.keys("p")
            written = tmux.wait(r"written: (tcpwitness-\d+\.html)").group(1)
            tmux.wait("^q back", patience=8)
            assert "~" not in tmux.screen(), tmux.screen()
            picture = (self.directory / written).read_text()
            assert picture.lower().startswith("<!doctype html") and "7777" in picture, picture[:500]
            load.stdin.write("end\n")
            load.stdin.flush()
            # Live, with causes.
            tmux.wait("FIN_WAIT1|CLOSE_WAIT")
            tmux.wait("(completed|closed) after")
            tmux.keys("e")
            tmux.wait("t timeline")
            tmux.wait("(completed|closed) after")
            tmux.keys("q")
            tmux.wait(r"0 open  302 ended  0 bad")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracer", required=True)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    check = Check(arguments.tracer, arguments.update)
    names = arguments.names or ["refused_without_a_terminal", "options_of_a_live_run_are_refused", "speed_needs_a_file", "screens_of_a_capture", "sizes_that_are_none",
                                "the_environment_has_another_size", "a_locale_that_is_not_installed",
                                "no_colour_where_none_is_wanted", "suspended_and_continued", "the_numbers_of_the_moment",
                                "silence_in_a_file", "a_file_that_is_not_there", "sentences_are_whole", "deaths", "the_terminal_vanishes",
                                "hostile_names", "live_numbers"]
    wrong = 0
    for name in names:
        begun = time.monotonic()
        try:
            getattr(check, name)()
            print(f"passed: {name} ({time.monotonic() - begun:.1f} s)")
        except unittest.SkipTest as why:
            print(f"skipped: {name}: {why}")
        except AssertionError as error:
            wrong += 1
            print(f"FAILED: {name}: {error}")
    shutil.rmtree(check.directory)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
