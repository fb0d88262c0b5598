# SPDX-License-Identifier: Apache-2.0
"""wrk asks nginx over 50 connections while every processor is busy with something else.

Reported: false alarms of monitors on busy hosts.
Right: all connections close in order or as wrk ends, with no fault found.
"""
from field import *

need("nginx", "wrk")


def play(lab):
    lab.pair()
    nginx(lab, "b", 8083, "keepalive_requests 1000000; server { listen 8083 backlog=256; return 200 ok; }")
    lab.watch("a")
    lab.watch("b")
    for _ in range(2):
        lab.actor("b", "fld-spin", spin, 4)
    code, text = lab.output(lab.program("a", "wrk", "-t", "2", "-c", "50", "-d", "2s", f"http://{B}:8083/"))
    lab.must(code == 0, text)


ends = ("completed", "reset-by-local", "reset-by-peer", "aborted")
may = {"reset-origin": "certain", "slow-accept": "certain", "retransmission": "certain", "time-wait": "certain", "slow-handshake": "certain", "write-after-peer-closed": "certain"}
expect = {
    "a": view(life(f"{B}:8083", ends, process="wrk", role="active", may=may, count=(50, 60))),
    "b": view(life(local=":8083", outcome=ends, process="nginx", role="passive", may=may, count=(50, 60))),
}
