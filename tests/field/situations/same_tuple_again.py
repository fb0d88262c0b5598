# SPDX-License-Identifier: Apache-2.0
"""A client uses one source port again and again, and ends each connection by a RST: no TIME_WAIT is in the way.

Reported: load generators with SO_LINGER 0 and fixed source ports.
Right: four connections, each whole, each reset by the client; none has anything of another one.
"""
from field import *


def server():
    s = listen(7652)
    for _ in range(4):
        c = accepted(s)
        c.sendall(read_all(c, 5))
        error_of(c.recv, 1)
        c.close()


def client():
    for _ in range(4):
        c = connect(B, 7652, (A, 5652))
        c.sendall(b"hello")
        read_all(c, 5)
        abort(c)


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7652)
    lab.actor("a", "fld-cli", client).result()


expect = {
    "a": view(life(f"{B}:7652", "reset-by-local", local=":5652", process="fld-cli", closed_by="local", tx=5, rx=5, retransmits=0, findings={"reset-origin": "certain"}, count=4)),
    "b": view(life(f"{A}:5652", "reset-by-peer", local=":7652", process="fld-srv", closed_by="peer", tx=5, rx=5, retransmits=0, may={"reset-origin": "certain"}, count=4)),
}
