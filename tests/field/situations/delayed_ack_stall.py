# SPDX-License-Identifier: Apache-2.0
"""Two small writes and a read in turn, over and over, without TCP_NODELAY: Nagle's algorithm waits for the ACK that the peer delays.

Reported: memcached-rs 7, tiberius 46, materialize 326, smithy-rs 4677: 40 ms a request.
Right: nothing is lost; the second write waits for the delayed ACK of the first. A finding at the sender.
"""
from field import *


def server():
    c = accepted(listen(7050))
    while read_all(c, 20):
        c.sendall(b"answer")
    c.close()


def client():
    c = connect(B, 7050)
    start = time.monotonic()
    for _ in range(15):
        c.sendall(b"h" * 10)
        c.sendall(b"b" * 10)
        read_all(c, 6)
    c.close()
    return time.monotonic() - start


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7050)
    took = lab.actor("a", "fld-cli", client).result()
    lab.must(took > 0.4, f"no stall: {took:.3f} s")


expect = {"a": view(life(f"{B}:7050", "completed", process="fld-cli", closed_by="local", tx=300, rx=90, retransmits=0, findings={"delayed-ack-stall": "certain"}))}
