# SPDX-License-Identifier: Apache-2.0
"""A router's shaper (tbf) has a short queue: what does not fit is dropped behind the hook that has counted it as sent on.

Reported: a router's own shaper taken for loss further on.
Right: the router dropped segments of the client, for its full queue, and the client sent them again; all bytes arrive.
"""
from field import *

SIZE = 600_000


def server():
    c = accepted(listen(7698))
    got = len(read_all(c))
    c.close()
    return got


def client():
    c = connect(B, 7698)
    c.sendall(b"x" * SIZE)
    c.close()


def play(lab):
    lab.routed()
    for place, interfaces in (("a", ["to-r"]), ("r", ["to-a", "to-b"]), ("b", ["to-r"])):
        lab.no_offload(place, *interfaces)
    lab.shell("r", "tc qdisc add dev to-b root tbf rate 8mbit burst 3000 limit 9000")
    lab.watch("r", "--forwarded")
    served = lab.server("b", "fld-srv", server, 7698)
    lab.actor("a", "fld-cli", client).result()
    lab.must(served.result() == SIZE, "it did not all arrive")
    lab.must("dropped 0," not in lab.shell("r", "tc -s qdisc show dev to-b root"), "the queue was never full")


expect = {"r": view(life(f"{B}:7698", "completed", closed_by="local", findings={"forward-dropped": "certain"}, may={"retransmission": "likely"}, says=["the interface's queue"]))}
