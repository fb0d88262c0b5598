# SPDX-License-Identifier: Apache-2.0
"""The same writes as in delayed_ack_stall with TCP_NODELAY, and once as one write: no stall.

Reported: the fixes of memcached-rs 7, tiberius 46.
Right: nothing to find.
"""
from field import *


def server():
    for _ in range(2):
        c = accepted(LISTENER)
        while read_all(c, 20):
            c.sendall(b"answer")
        c.close()


def serve():
    global LISTENER
    LISTENER = listen(7051)
    server()


def client():
    for nodelay in (True, False):
        c = connect(B, 7051)
        c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, nodelay)
        for _ in range(15):
            for part in [b"h" * 10, b"b" * 10] if nodelay else [b"h" * 20]:
                c.sendall(part)
            read_all(c, 6)
            time.sleep(0.01)
        c.close()


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", serve, 7051)
    lab.actor("a", "fld-cli", client)


expect = {
    "a": view(life(f"{B}:7051", "completed", process="fld-cli", closed_by="local", tx=300, rx=90, retransmits=0, count=2)),
    "b": view(life(local=":7051", outcome="completed", process="fld-srv", closed_by="peer", tx=90, rx=300, retransmits=0, count=2)),
}
