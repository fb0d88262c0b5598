# SPDX-License-Identifier: Apache-2.0
"""The server closed first and is in TIME_WAIT; the client comes again from the same port, and the server's kernel lets it (RFC 6191).

Reported: load testers and NAT with few ports against servers that close first; "why does this SYN get through TIME_WAIT".
Right: two connections, both completed; the second one's SYN ended the first one's TIME_WAIT, and nothing was refused.
"""
from field import *


def server():
    s = listen(7213)
    for _ in range(2):
        c = accepted(s)
        c.sendall(read_all(c, 5))
        c.close()


def client():
    for _ in range(2):
        c = connect(B, 7213, (A, 45555))
        c.sendall(b"hello")
        read_all(c)
        c.close()
        time.sleep(1.3)  # the timestamps' clock goes on


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7213)
    lab.actor("a", "fld-cli", client).result()


expect = {
    "a": view(life(f"{B}:7213", "completed", process="fld-cli", tx=5, rx=5, closed_by="peer", count=2)),
    "b": view(life(local=":7213", outcome="completed", process="fld-srv", tx=5, rx=5, closed_by="local", count=2)),
}
