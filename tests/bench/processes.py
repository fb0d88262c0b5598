# SPDX-License-Identifier: Apache-2.0
"""Processes and what they cost: CPU time of a process that runs or has ended, of the whole machine, of BPF programs."""
import ctypes
import json
import os
import pathlib
import signal
import subprocess
import time

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1
CPUCLOCK_SCHED = 2  # a process' CPU clock: clock_getcpuclockid(3)
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A program did not do what it was started for."""


def end_with_us():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def start(command, stdout, stderr):
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, preexec_fn=end_with_us)


def wait(process):
    """CPU nanoseconds that the process and its children have taken. It must end by itself."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return round((used.ru_utime + used.ru_stime) * 1e9)


def run(command):
    """(what it printed, its CPU nanoseconds)"""
    process = start(command, subprocess.PIPE, subprocess.PIPE)
    printed = process.stdout.read().decode()
    complained = process.stderr.read().decode()
    used = wait(process)
    if process.returncode != 0:
        raise Failed(f"{' '.join(command)}: {(complained or printed).strip()[-500:]}")
    return printed, used


def cpu_ns(pid):
    """CPU nanoseconds so far of a running process, ended threads and interrupts that it was charged for included."""
    return time.clock_gettime_ns(~pid << 3 | CPUCLOCK_SCHED)


def pieces(pid):
    """How often a running process has been given a processor."""
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[2]) for task in tasks)


def softirq_pids():
    """The kernel's threads that do network work which was put off."""
    return [int(path.parent.name) for path in pathlib.Path("/proc").glob("[0-9]*/comm") if path.read_text().startswith("ksoftirqd/")]


def busy_ns():
    """CPU nanoseconds that all processors were not idle, with those that the hypervisor took."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _idle, _wait, irq, softirq, steal = map(int, stat.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) * 1_000_000_000 // TICKS_PER_SECOND


def program_ids(pid):
    """The BPF programs that a process has attached or holds."""
    ids = set()
    for path in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        try:
            lines = path.read_text().splitlines()
        except FileNotFoundError:
            continue
        ids |= {int(line.split()[1]) for line in lines if line.startswith("prog_id:")}
    return ids


def programs(ids):
    """id: (name, run time in ns, runs) of these BPF programs, as far as kernel.bpf_stats_enabled counts."""
    shown = subprocess.run(["bpftool", "-j", "prog", "show"], check=True, capture_output=True, text=True).stdout
    return {
        one["id"]: (one.get("name", "?"), one.get("run_time_ns", 0), one.get("run_cnt", 0))
        for one in json.loads(shown)
        if one["id"] in ids
    }


def until(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Failed(f"waited {seconds} s in vain for {what}")
        time.sleep(0.02)
