# SPDX-License-Identifier: Apache-2.0
"""Loads: each runs a fixed amount of real traffic at a place and returns how much it was and what it took."""
import contextlib
import dataclasses
import json
import re
import subprocess

from processes import cpu_ns, run, start, until, wait


@dataclasses.dataclass
class Done:
    units: float  # connections, requests, round trips, MiB
    cpu_ns: int  # of the load's own processes
    figures: dict  # what the load itself measured


class Churn:
    """Connect, 100 bytes there, 1000 back, close, one after the other: the reference load where it is at hand, and between namespaces ours."""

    unit = "connection"

    def __init__(self, connections):
        self.connections = connections

    @contextlib.contextmanager
    def at(self, bench, place):
        if place.both_ends():
            command = [str(bench.churn), str(self.connections)]
        else:
            command = [str(bench.own_churn), "--server", place.server, place.address, str(self.connections)]

        def once():
            said, used = run(place.command(place.client, command))
            words = said.split()
            return Done(self.connections, used, {"per_s": float(words[words.index("per_s") + 1])})

        yield once


class PingPong:
    """100 bytes there and back on one connection."""

    unit = "round trip"

    def __init__(self, round_trips):
        self.round_trips = round_trips

    @contextlib.contextmanager
    def at(self, bench, place):
        def once():
            said, used = run(place.command(place.client, [str(bench.pingpong), str(self.round_trips)]))
            words = said.split()
            return Done(self.round_trips, used, {key: float(words[words.index(key) + 1]) for key in ("p50_us", "p99_us")})

        yield once


NGINX = """
daemon off; master_process off; pid {work}/nginx.pid; error_log {work}/nginx.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {work}/nginx; proxy_temp_path {work}/nginx; fastcgi_temp_path {work}/nginx;
  uwsgi_temp_path {work}/nginx; scgi_temp_path {work}/nginx;
  server {{ listen 8080 backlog=4096; location / {{ return 200 "{body}"; }} }}
}}
"""
MICROSECONDS = {"us": 1.0, "ms": 1e3, "s": 1e6}


def percentile(said, percent):
    value, unit = re.search(rf"^ +{percent}% +([\d.]+)(us|ms|s)$", said, re.MULTILINE).groups()
    return float(value) * MICROSECONDS[unit]


class Nginx:
    """nginx with one worker, and wrk with one thread and 32 connections: a connection for each request."""

    unit = "request"

    def __init__(self, seconds):
        self.seconds = seconds

    @contextlib.contextmanager
    def at(self, bench, place):
        (bench.work / "nginx").mkdir(exist_ok=True)
        (bench.work / "nginx.conf").write_text(NGINX.format(work=bench.work, body="x" * 1000))
        command = ["nginx", "-e", str(bench.work / "nginx.log"), "-c", str(bench.work / "nginx.conf")]
        server = start(place.command(place.server, command), subprocess.DEVNULL, None)
        try:
            url = f"http://{place.address}:8080/"
            until(lambda: run_quietly(place.command(place.client, ["curl", "-s", "-o", "/dev/null", url])), 10, "nginx")
            wrk = ["wrk", "-t1", "-c32", f"-d{self.seconds}s", "--latency", "-H", "Connection: close", url]

            def once():
                before = cpu_ns(server.pid)
                said, used = run(place.command(place.client, wrk))
                requests = int(re.search(r"(\d+) requests in", said)[1])
                rate = float(re.search(r"Requests/sec: +([\d.]+)", said)[1])
                figures = {"per_s": rate, "p50_us": percentile(said, 50), "p99_us": percentile(said, 99)}
                return Done(requests, used + cpu_ns(server.pid) - before, figures)

            yield once
        finally:
            server.kill()
            wait(server)


def run_quietly(command):
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


class Bulk:
    """iperf3, one way, as fast as it goes."""

    unit = "MiB"

    def __init__(self, streams, seconds):
        self.streams, self.seconds = streams, seconds

    @contextlib.contextmanager
    def at(self, _bench, place):
        server = start(place.command(place.server, ["iperf3", "-s"]), subprocess.DEVNULL, subprocess.DEVNULL)
        client = place.command(place.client, ["iperf3", "-c", place.address])
        try:
            until(lambda: run_quietly([*client, "-n", "1"]), 10, "iperf3")

            def once():
                before = cpu_ns(server.pid)
                said, used = run([*client, "-P", str(self.streams), "-t", str(self.seconds), "-J"])
                total = json.loads(said)["end"]["sum_received"]
                figures = {"gbit_per_s": total["bits_per_second"] / 1e9}
                return Done(total["bytes"] / (1 << 20), used + cpu_ns(server.pid) - before, figures)

            yield once
        finally:
            server.kill()
            wait(server)
