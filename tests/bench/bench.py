#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the cases in alternation and prints what each tracer costs. scripts/bench builds what this needs and calls it.

Every round runs the load once beside each tracer; ratios are taken within a round, and of them the median, so that what changes
slowly (other load, clock rate) cancels. BPF run time is counted in runs of its own, as counting costs too.
"""
import argparse
import collections
import contextlib
import fcntl
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import report
from cases import CASES, QUICK, QUICK_TRACERS
from extra import EXTRA
from processes import Failed, busy_ns, cpu_ns, softirq_pids

COUNTED_ATTEMPTS = 3
DRAIN_SECONDS = 0.2  # what a tracer still has to do for the load is part of the cost


class Bench:
    """Where the programs are, and a directory to work in."""

    def __init__(self, build, tracer, churn, work):
        self.tracer = tracer or build / "tcpwitness"
        self.own_churn = build / "tests/tw_churn"
        self.churn = churn or self.own_churn
        self.pingpong = build / "tests/tw_pingpong"
        self.empty_hooks = build / "tests/tw_empty_hooks"
        self.core = build / "tests/tw_core_bench"
        self.rings = build / "tests/tw_rings"
        self.work = work


@contextlib.contextmanager
def alone():
    """Two benchmarks that run at the same time take turns."""
    # Where only root may write: nobody else can hold it, or put a link there.
    with open("/run/tcpwitness-bench.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def bpf_statistics():
    setting = pathlib.Path("/proc/sys/kernel/bpf_stats_enabled")
    before = setting.read_text()
    setting.write_text("1")
    try:
        yield
    finally:
        setting.write_text(before)


@contextlib.contextmanager
def session_priority(nice):
    """Loads and tracers against everything else on this machine; among each other nothing changes."""
    autogroup = pathlib.Path("/proc/self/autogroup")
    if not nice or not autogroup.exists():
        yield
        return
    before = autogroup.read_text().split()[-1]
    autogroup.write_text(str(nice))
    try:
        yield
    finally:
        autogroup.write_text(before)


def measure(once, watched):
    """Figures of one run of the load beside a tracer."""
    softirq = softirq_pids()

    def put_off_ns():
        return sum(map(cpu_ns, softirq))

    own, pieces = watched.cpu_ns(), watched.pieces()
    put_off, busy, start = put_off_ns(), busy_ns(), time.monotonic()
    done = once()
    wall_ns, busy, put_off = (time.monotonic() - start) * 1e9, busy_ns() - busy, put_off_ns() - put_off
    time.sleep(DRAIN_SECONDS)
    own, pieces = watched.cpu_ns() - own, watched.pieces() - pieces
    tasks = done.cpu_ns + own + put_off
    return done.units, {
        "cpu_us": busy / 1000 / done.units,
        "tasks_us": tasks / 1000 / done.units,
        "own_us": own / 1000 / done.units,
        "piece_us": own / 1000 / max(1, pieces),
        "others_cpus": max(0.0, (busy - tasks) / wall_ns),
        **done.figures,
    }


def timed_run(bench, place, once, tracer):
    with alone(), tracer.beside(bench, place) as watched:
        units, figures = measure(once, watched)
    if watched.lost is not None:
        figures["lost"] = watched.lost
    if watched.reported is not None:
        figures["reported"] = watched.reported / units
    return figures


def counted_run(bench, place, once, tracer):
    """BPF run time: {(program, ...): (runs, ns)} per unit of the load; an empty program has the names of those on its hook. Of some runs the one with the fewest runs: other traffic of
    this machine runs the same programs, and is then least in it."""
    with alone(), bpf_statistics(), tracer.beside(bench, place) as watched:
        return min((counted_once(once, watched) for _ in range(COUNTED_ATTEMPTS)), key=lambda used: sum(runs for runs, _ in used.values()))


def counted_once(once, watched):
    before = watched.programs()
    done = once()
    time.sleep(DRAIN_SECONDS)
    used = collections.defaultdict(lambda: (0, 0))
    for number, (name, ns, runs) in watched.programs().items():
        if runs > before[number][2]:
            names = tuple(watched.like.get(number, [name]))
            used[names] = (used[names][0] + (runs - before[number][2]) / done.units, used[names][1] + (ns - before[number][1]) / done.units)
    return dict(used)


def run_case(bench, case, load, tracers, rounds, counted_rounds):
    result = report.Result(case, load)
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(case.place())
        once = stack.enter_context(load.at(bench, place))
        for tracer in tracers:
            if why := tracer.why_not():
                result.left_out[tracer.name] = why
        able = [tracer for tracer in tracers if tracer.name not in result.left_out]
        once()  # what is touched for the first time costs more
        for number in range(rounds):
            say(f"{case.name}: round {number + 1} of {rounds}")
            turn = number % len(able)
            figures = {}
            for tracer in able[turn:] + able[:turn]:  # each is the first one once in a while
                attempt(result, tracer, lambda tracer=tracer: figures.update({tracer.name: timed_run(bench, place, once, tracer)}))
            result.rounds.append(figures)
            able = [tracer for tracer in able if tracer.name not in result.left_out]
        counted = [tracer for tracer in case.counted if tracer in tracers and tracer.name not in result.left_out]
        for number in range(counted_rounds):
            say(f"{case.name}: BPF run time, {number + 1} of {counted_rounds}")
            for tracer in counted:
                attempt(result, tracer, lambda tracer=tracer: result.counted[tracer.name].append(counted_run(bench, place, once, tracer)))
    return result


def attempt(result, tracer, action):
    """Another tracer that does not run here is left out, with its reason."""
    try:
        action()
    except Failed as failed:
        if tracer.required:
            raise
        result.left_out[tracer.name] = str(failed)


def say(text):
    print(f"bench: {text}", file=sys.stderr)


def main():
    known = [*(case.name for case in CASES), *EXTRA]
    parser = argparse.ArgumentParser(prog="scripts/bench", description="What tcpwitness costs, beside other tracers.")
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"default: all. {' '.join(known)}")
    parser.add_argument("-n", "--rounds", type=int, help="default 7")
    parser.add_argument("-q", "--quick", action="store_true", help=f"one to two minutes: {' '.join(QUICK)}, few tracers, small loads")
    parser.add_argument("--only", metavar="NAME", action="append", help="only these tracers, by what their name begins with; and untraced")
    parser.add_argument("--nice", type=int, default=0, help="priority of this session (see sched(7), autogroup) where the machine has other work")
    parser.add_argument("--tracer", type=pathlib.Path, help="another tcpwitness")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write every figure there")
    parser.add_argument("--update-baseline", action="store_true", help=f"BPF times to compare later ones with ({report.BASELINE.name})")
    parser.add_argument("--build", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--churn", type=pathlib.Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    wanted = options.cases or (QUICK if options.quick else known)
    if unknown := sorted(set(wanted) - set(known)):
        parser.error(f"no such case: {' '.join(unknown)} (there are {' '.join(known)})")
    rounds = options.rounds or (1 if options.quick else 7)
    shared_memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    results = []
    with session_priority(options.nice), tempfile.TemporaryDirectory(prefix="tcpwitness-bench.", dir=shared_memory) as work:
        bench = Bench(options.build.resolve(), options.tracer, options.churn, pathlib.Path(work))
        print(report.heading(rounds))
        for case in (case for case in CASES if case.name in wanted):
            if options.only:
                chosen = tuple(options.only)
                tracers = [one for one in case.tracers if one.name == "untraced" or one.name.strip(" -").startswith(chosen)]
            else:
                tracers = [one for one in case.tracers if not options.quick or one in QUICK_TRACERS]
            result = run_case(
                bench, case, case.quick_load if options.quick else case.load, tracers, rounds, 1 if options.quick else max(1, rounds // 2)
            )
            results.append(result)
            print(result.text(), flush=True)
        for name in (name for name in EXTRA if name in wanted):
            say(name)
            results.append(EXTRA[name](bench, options.quick))
            print(results[-1].text(), flush=True)
    if options.update_baseline:
        report.update_baseline([one for one in results if isinstance(one, report.Result)])
    if options.json:
        options.json.write_text(report.as_json(results), encoding="utf-8")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        main()
    except (Failed, subprocess.CalledProcessError) as failed:
        say(str(failed))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
