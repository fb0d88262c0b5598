# SPDX-License-Identifier: Apache-2.0
"""A server sets a tiny receive buffer and reads at once whatever comes: its window stays below a full-size segment.

Reported: SO_RCVBUF set "to save memory": 200 ms for every segment (silly window avoidance, the sender's persist timer).
Right: the process reads everything at once: nobody can say that it does not. Nothing is lost.
"""
from field import *


def server():
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    s.bind(("", 7650))
    s.listen(4)
    c = accepted(s)
    size = len(read_all(c))
    c.close()
    return size


def client():
    c = connect(B, 7650)
    c.sendall(b"x" * 20_000)
    c.close()


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    served = lab.server("b", "fld-srv", server, 7650)
    lab.actor("a", "fld-cli", client).result()
    lab.must(served.result() == 20_000, "it did not all arrive")
    time.sleep(0.3)


expect = {
    "a": view(life(f"{B}:7650", "completed", process="fld-cli", closed_by="local", tx=20_000, rx=0, may={"retransmission": "certain", "zero-window": "certain"}, never=["not read", "stopped reading"])),
    "b": view(life(local=":7650", outcome="completed", process="fld-srv", closed_by="peer", tx=0, rx=20_000, may={"retransmission": "certain", "zero-window": "certain"}, never=["not read", "stopped reading"])),
}
