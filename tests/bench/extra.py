# SPDX-License-Identifier: Apache-2.0
"""Cases of another kind: the rate at which the first event is lost, the core alone, the ring alone. As report.Result they have
text() and as_object()."""
import dataclasses
import json
import os
import subprocess
import time

import places
from processes import cpu_ns, run, start, wait
from report import number, table
from tracers import ours

CONSUMER = os.cpu_count() - 1  # the tracer's own processor; the load has the others
CHURNS = 2  # processes for each processor of the load


@dataclasses.dataclass
class Table:
    name: str
    title: str
    rows: list

    def text(self):
        return f"{self.name}: {self.title}\n\n" + table([list(self.rows[0])] + [[show(cell) for cell in row.values()] for row in self.rows])

    def as_object(self):
        return {"case": self.name, "title": self.title, "rows": self.rows}


def show(cell):
    return cell if isinstance(cell, str) else number(cell, 0 if cell == int(cell) else 2)


def loss(bench, quick):
    """As many connections a second as the other processors make, with a smaller ring each time."""
    rows = []
    connections = 20000 if quick else 100000
    load_cpus = f"0-{max(0, CONSUMER - 1)}"
    with places.loopback() as place:
        for ring in ("8M", "4M", "2M", "1M", "512K", "256K"):
            tracer = ours("tcpwitness", "--ring-size", ring)
            with tracer.beside(bench, place) as watched:
                subprocess.run(["taskset", "-a", "-p", "-c", str(CONSUMER), str(watched.process.pid)], check=True, stdout=subprocess.DEVNULL)
                own, began = watched.cpu_ns(), time.monotonic()
                churn = place.command(place.client, ["taskset", "-c", load_cpus, str(bench.churn), str(connections)])
                running = [start(churn, subprocess.DEVNULL, None) for _ in range(CHURNS * max(1, CONSUMER))]
                for one in running:
                    wait(one)
                rate = connections * len(running) / (time.monotonic() - began)
                time.sleep(0.3)
                own = (watched.cpu_ns() - own) / connections / len(running)
            rows.append({"ring": ring, "connections/s": round(rate), "lost events": watched.lost, "own us": own / 1000, "own limit/s": round(1e9 / own)})
            if watched.lost:
                break
    title = f"connections a second until the first loss; the tracer alone on processor {CONSUMER}"
    return Table("loss", title, rows)


def core(bench, _quick):
    """tw_core_bench: decoding and judging without a kernel, one thread."""
    said, _ = run([str(bench.core), "--benchmark_format=json"])
    rows = [
        {"benchmark": one["name"], "million/s": one["items_per_second"] / 1e6}
        for one in json.loads(said)["benchmarks"]
        if "items_per_second" in one
    ]
    return Table("core", "events through the core alone, one thread", rows)


def rings(bench, _quick):
    """tw_rings: one ring's lock beside a ring for each producer, nobody reading."""
    said, _ = run([str(bench.rings)])
    return Table("rings", "ns of one record of a digest's size, by producers on processors of their own", json.loads(said))


EXTRA = {"loss": loss, "core": core, "rings": rings}
