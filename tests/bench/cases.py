# SPDX-License-Identifier: Apache-2.0
"""The cases: which load runs where beside which tracers, what is compared, and what is wanted of it."""
import dataclasses

import loads
import places
from tracers import BPFTRACE, EMPTY, JSON, LIFE, NO_KERNEL, NO_WIRE, OTHER_PORT, TCPDUMP, TCPLIFE, UNTRACED


@dataclasses.dataclass(frozen=True)
class Figure:
    key: str
    title: str
    digits: int = 1


CPU = Figure("cpu_us", "machine us")
TASKS = Figure("tasks_us", "tasks us")


@dataclasses.dataclass(frozen=True)
class Goal:
    """`measure` of `tracer`: a figure's ratio to that of `beside` where that is named, else the figure itself."""

    tracer: object
    measure: str
    most: float = None
    least: float = None
    beside: object = None


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    title: str
    place: object
    load: object
    quick_load: object
    tracers: list
    figures: list
    goals: list
    counted: tuple = (EMPTY, LIFE)  # whose BPF run time is counted, in runs of their own


EVERY = [UNTRACED, TCPDUMP, EMPTY, LIFE, JSON, NO_WIRE, NO_KERNEL, TCPLIFE, BPFTRACE]
FEW = [UNTRACED, TCPDUMP, EMPTY, LIFE]

CASES = [
    Case(
        name="nginx",
        title="nginx and wrk over loopback, a connection for each request",
        place=places.loopback,
        load=loads.Nginx(5),
        quick_load=loads.Nginx(2),
        tracers=EVERY,
        figures=[Figure("per_s", "per s", 0), Figure("p50_us", "p50 us", 0), Figure("p99_us", "p99 us", 0)],
        goals=[
            Goal(LIFE, "per_s", least=0.82, beside=UNTRACED),
            Goal(LIFE, "per_s", least=0.93, beside=EMPTY),
            Goal(LIFE, "per_s", least=1.0, beside=TCPDUMP),
            Goal(LIFE, "p99_us", most=1.2, beside=UNTRACED),
        ],
    ),
    Case(
        name="churn",
        title="connect, request, response, close over loopback, one after the other",
        place=places.loopback,
        load=loads.Churn(60000),
        quick_load=loads.Churn(20000),
        tracers=EVERY,
        figures=[CPU, TASKS],
        goals=[
            Goal(LIFE, "tasks_us", most=1.15, beside=UNTRACED),
            Goal(LIFE, "tasks_us", most=1.0, beside=TCPDUMP),
            Goal(JSON, "tasks_us", most=1.0, beside=TCPDUMP),
            Goal(LIFE, "bpf_above_us", most=8.0),
            Goal(LIFE, "own_us", most=2.0),
        ],
        counted=(EMPTY, LIFE, NO_WIRE, NO_KERNEL, TCPLIFE),
    ),
    Case(
        name="churn-veth",
        title="the same over veth; the tracer is at the server",
        place=places.veth,
        load=loads.Churn(60000),
        quick_load=loads.Churn(20000),
        tracers=FEW,
        figures=[CPU, TASKS],
        goals=[Goal(LIFE, "tasks_us", most=1.08, beside=UNTRACED)],
    ),
    Case(
        name="pingpong",
        title="100 bytes there and back on one connection over loopback",
        place=places.loopback,
        load=loads.PingPong(300000),
        quick_load=loads.PingPong(100000),
        tracers=FEW,
        figures=[TASKS, Figure("p50_us", "p50 us", 2), Figure("p99_us", "p99 us", 2)],
        goals=[
            Goal(LIFE, "bpf_above_us", most=0.5),
            Goal(LIFE, "p50_us", most=1.02, beside=UNTRACED),
            Goal(LIFE, "p99_us", most=1.02, beside=UNTRACED),
        ],
    ),
    Case(
        name="port",
        title="--port 443 beside the connections of `churn`, which have other ports",
        place=places.loopback,
        load=loads.Churn(60000),
        quick_load=loads.Churn(20000),
        tracers=[UNTRACED, EMPTY, OTHER_PORT],
        figures=[CPU, TASKS],
        goals=[Goal(OTHER_PORT, "bpf_above_us", most=2.0)],
        counted=(EMPTY, OTHER_PORT),
    ),
    *(
        Case(
            name=f"bulk-{streams}{suffix}",
            title=f"iperf3, {streams} stream{'s' * (streams > 1)} over {medium}",
            place=place,
            load=loads.Bulk(streams, 4),
            quick_load=loads.Bulk(streams, 1),
            tracers=FEW,
            figures=[Figure("gbit_per_s", "Gbit/s", 1), TASKS],
            goals=[
                Goal(LIFE, "gbit_per_s", least=0.98, beside=UNTRACED),
                Goal(LIFE, "tasks_us", most=1.02, beside=UNTRACED),
            ],
        )
        for suffix, medium, place in (("", "loopback", places.loopback), ("-veth", "veth", places.veth))
        for streams in (1, 16)
    ),
]
QUICK = ["nginx", "churn", "pingpong", "port"]
QUICK_TRACERS = [UNTRACED, TCPDUMP, EMPTY, LIFE, OTHER_PORT]
