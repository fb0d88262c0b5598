#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plays the situations of tests/field side by side and judges what tcpwitness reports of each.

    run.py --tracer PATH [--list] [-j N] [--keep FOLDER] [NAME...]

Results are printed as gtest prints them, so that scripts/test counts them; then precision and recall over all situations.
Each situation has a process of its own; Ctrl-C ends them, and their namespaces are removed in any case.
"""
import argparse
import concurrent.futures
import importlib
import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "situations")]

import jobs  # noqa: E402
from judge import Score, judge  # noqa: E402
from lab import LIBC, PR_SET_PDEATHSIG, Lab, NotPlayed, remove_namespaces  # noqa: E402
from needs import Skip  # noqa: E402
from watch import Watch  # noqa: E402
from wrong_today import WRONG_TODAY  # noqa: E402

SETTLE_SECONDS = 0.25  # for the last ACK of each connection
LIMIT_SECONDS = 100  # of one situation
ATTEMPTS = 4
FEW = 2  # so many side by side, when what could not be judged beside more is played again


def names():
    return sorted([*(path.stem for path in (HERE / "situations").glob("*.py")), *jobs.JOBS])


def title(name):
    if name in jobs.JOBS:
        return jobs.title(name)
    source = (HERE / "situations" / f"{name}.py").read_text()
    return source.split('"""')[1].split("\n")[0]


# One situation, in a process of its own


def play(name, prefix, tracer, keep):
    """What became of it, as a value for JSON."""
    lab = Lab(prefix, lambda *arguments: Watch(tracer, *arguments))
    try:
        if name in jobs.JOBS:
            score = jobs.play(name, lab, tracer)
            return {"result": "ok" if score.ok() else "failed", "score": vars(score)}
        situation = importlib.import_module(name)
        situation.play(lab)
        for actor in lab.actors:
            actor.result()
        time.sleep(SETTLE_SECONDS)
        if not may_retransmit(situation.expect) and lab.segments_sent_again(getattr(situation, "quiet", None)):
            raise NotPlayed("the kernel retransmitted where nothing was lost: this machine is too busy")
        for watch in lab.watches:
            watch.stop()
        score = judge(situation.expect, lab.watches)
        return {"result": "ok" if score.ok() else "failed", "score": vars(score)}
    except Skip as skip:
        return {"result": "skipped", "reason": str(skip)}
    except NotPlayed as reason:
        return {"result": "not played", "reason": str(reason)}
    finally:
        if keep:
            shutil.copytree(lab.folder, f"{keep}/{name}", dirs_exist_ok=True, ignore=sockets)
        lab.remove()


def sockets(folder, names):
    """PostgreSQL's: they cannot be copied."""
    return [name for name in names if stat.S_ISSOCK(os.stat(f"{folder}/{name}", follow_symlinks=False).st_mode)]


def may_retransmit(expect):
    lives = [one for view in expect.values() for one in view.lives]
    return any("retransmission" in {**one.findings, **one.may} for one in lives)


def play_one(arguments):
    def leave(*_):
        raise KeyboardInterrupt

    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGALRM, leave)
    signal.alarm(LIMIT_SECONDS)
    print(json.dumps(play(arguments.play, arguments.prefix, arguments.tracer, arguments.keep)))


# All of them


class Runner:
    def __init__(self, arguments):
        self.arguments, self.lock = arguments, threading.Lock()
        self.children, self.prefixes = {}, set()
        self.total, self.counts = Score(), {"ok": 0, "failed": 0, "skipped": 0}
        self.known_wrong, self.mended, self.stopping = [], [], False

    def run(self, wanted):
        start = time.monotonic()
        for attempt in range(1, ATTEMPTS + 1):  # what did not come about, or lost events on the way, is played again
            wanted = self.round(wanted, attempt, self.arguments.jobs if attempt == 1 else min(FEW, self.arguments.jobs))
        self.say_totals(time.monotonic() - start)
        return 1 if self.counts["failed"] or not any(self.counts.values()) else 0

    def round(self, wanted, attempt, jobs):
        """Plays each of them once; those that are to be played again."""
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            try:
                played = {pool.submit(self.one, name, attempt): name for name in wanted}
                return [played[done] for done in concurrent.futures.as_completed(played) if not done.result()]
            except BaseException:
                self.stopping = True
                pool.shutdown(wait=False, cancel_futures=True)
                with self.lock:
                    for child in self.children.values():
                        child.terminate()
                raise

    def one(self, name, attempt):
        """Whether that was its last attempt."""
        start = time.monotonic()
        outcome = self.child(name, attempt)
        last = outcome["result"] != "not played" or attempt == ATTEMPTS
        if last and not self.stopping:
            with self.lock:
                self.tell(name, outcome, int((time.monotonic() - start) * 1000))
        return last

    def child(self, name, attempt):
        prefix = f"fld-{os.getpid()}-{names().index(name)}x{attempt}"
        command = [sys.executable, __file__, "--play", name, "--prefix", prefix, "--tracer", self.arguments.tracer]
        if self.arguments.keep:
            command += ["--keep", self.arguments.keep]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
        with self.lock:
            self.children[name] = child
        try:
            output, errors = child.communicate(timeout=LIMIT_SECONDS + 30)
            return json.loads(output)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            return {"result": "failed", "reason": f"not over within {LIMIT_SECONDS} s"}
        except json.JSONDecodeError:
            return {"result": "failed", "reason": f"it broke off: {errors.strip()}"}
        finally:
            remove_namespaces(prefix)
            with self.lock:
                del self.children[name]

    def tell(self, name, outcome, ms):
        print(f"[ RUN      ] {name}")
        result = outcome["result"]
        score = Score(**outcome["score"]) if "score" in outcome else Score()
        right = result == "ok"
        if result == "not played":
            result, outcome["reason"] = "failed", f"not played, {ATTEMPTS} times: {outcome['reason']}"
        complaints = score.complaints or [outcome.get("reason", "")]
        for line in complaints[:40]:
            if line:
                print(f"  {line}")
        if len(complaints) > 40:
            print(f"  and {len(complaints) - 40} more")
        if name in WRONG_TODAY and result in ("ok", "failed"):
            (self.mended if right else self.known_wrong).append(name)
            if not right:
                print(f"known to be wrong today ({WRONG_TODAY[name]})")
                result = "skipped"
        if result in ("ok", "failed"):
            self.total.add(score)
        self.counts[result] += 1
        print({"ok": "[       OK ]", "failed": "[  FAILED  ]", "skipped": "[  SKIPPED ]"}[result], f"{name} ({ms} ms)", flush=True)

    def say_totals(self, seconds):
        total = self.total
        said, due = total.right + total.false, total.right + total.missed
        print(f"\nprecision {share(total.right, said)} ({total.right} of {said} verdicts right), recall {share(total.right, due)} ({total.right} of "
              f"{due} verdicts made), {total.facts - total.wrong_facts} of {total.facts} facts right, in {seconds:.0f} s")
        if self.known_wrong:
            print(f"not counted, as known to be wrong today: {' '.join(sorted(self.known_wrong))}")
        if self.mended:
            print(f"listed as wrong today, but right: {' '.join(sorted(self.mended))}")
        print(f"{self.counts['ok']} passed, {self.counts['failed']} failed, {self.counts['skipped']} skipped")


def share(part, whole):
    return f"{part / whole:.3f}" if whole else "unknown"


def main():
    parser = argparse.ArgumentParser(prog="field", description="Plays situations of the field with real programs and judges what tcpwitness says.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="these situations only (all)")
    parser.add_argument("--list", action="store_true", help="name them and end")
    parser.add_argument("--tracer", default=str(HERE.parents[1] / "build" / "tcpwitness"), metavar="PATH", help="the tcpwitness to judge")
    parser.add_argument("-j", "--jobs", type=int, default=6, metavar="N", help="so many side by side (6)")
    parser.add_argument("--keep", metavar="FOLDER", help="keep recordings and logs there")
    parser.add_argument("--play", help=argparse.SUPPRESS)
    parser.add_argument("--prefix", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.play:
        return play_one(arguments)
    unknown = set(arguments.names) - set(names())
    if unknown:
        parser.error(f"no such situation: {' '.join(sorted(unknown))}; --list names them")
    wanted = arguments.names or names()
    if arguments.list:
        for name in wanted:
            print(f"{name:26} {title(name)}")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return Runner(arguments).run(wanted)
    except KeyboardInterrupt:
        print("interrupted")
        return 130


if __name__ == "__main__":
    sys.exit(main())
