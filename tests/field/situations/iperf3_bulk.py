# SPDX-License-Identifier: Apache-2.0
"""iperf3 sends for a second, and receives for a second, at full speed.

Reported: counts in other units than nstat's; segments of 64 KiB (GSO) counted as one.
Right: two connections a run (control and data), all bytes counted by both witnesses. How iperf3 ends its data connection is iperf3's affair.
"""
from field import *

need("iperf3")


def play(lab):
    lab.pair()
    lab.program("b", "iperf3", "-s", port=5201)
    lab.watch("a")
    lab.watch("b")
    for direction in ([], ["-R"]):
        code, text = lab.output(lab.program("a", "iperf3", "-c", B, "-t", 1, *direction))
        lab.must(code == 0, text)


ends = ("completed", "reset-by-local", "reset-by-peer", "aborted")
may = {"reset-origin": "certain", "retransmission": "certain", "zero-window": "certain", "write-after-peer-closed": "certain"}
expect = {
    "a": view(life(f"{B}:5201", ends, process="iperf3", role="active", wire__complete=True, may=may, count=4)),
    "b": view(life(local=":5201", outcome=ends, process="iperf3", role="passive", wire__complete=True, may=may, count=4)),
}
