# SPDX-License-Identifier: Apache-2.0
"""iperf3 with 16 streams while every processor is busy with something else: throughput suffers, and nothing is wrong.

Reported: false alarms of monitors on busy hosts.
Right: no finding that names a fault; what a full processor or queue did is at most a retransmission. iperf3's server closes its
streams when its control connection says that the test is over: what a stream still has to send then is lost, and that is said.
"""
from field import *

need("iperf3")


def play(lab):
    lab.pair()
    lab.program("b", "iperf3", "-s", port=5201)
    lab.watch("a")
    lab.watch("b")
    for _ in range(2):
        lab.actor("a", "fld-spin", spin, 4)
    for direction in ([], ["-R"]):
        code, text = lab.output(lab.program("a", "iperf3", "-c", B, "-t", 1, "-P", 16, *direction))
        lab.must(code == 0, text)


ends = ("completed", "reset-by-local", "reset-by-peer", "aborted")
may = {"reset-origin": "certain", "retransmission": "certain", "zero-window": "certain", "slow-accept": "certain", "time-wait": "certain",
       "write-after-peer-closed": "certain"}
expect = {
    "a": view(life(f"{B}:5201", ends, process="iperf3", role="active", may=may, count=34)),
    "b": view(life(local=":5201", outcome=ends, process="iperf3", role="passive", may=may, count=34)),
}
