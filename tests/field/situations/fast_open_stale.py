# SPDX-License-Identifier: Apache-2.0
"""TCP Fast Open with a cookie that the server does not know any more (its key was changed): the data of the SYN is not taken.

Reported: curl and haproxy behind anycast, where each server has its own key.
Right: the SYN-ACK acknowledges the SYN alone; the 20 bytes are sent again in the open connection. Nothing was lost, and the connection completed.
"""
from field import *

need("fast open")


def server(changed):
    s = listen(7305)
    s.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 16)
    for _ in range(2):
        c = accepted(s)
        read_all(c, 20)
        c.sendall(b"reply")
        c.recv(1)
        c.close()
        changed.wait()


def client(first, changed):
    for turn in range(2):
        c = socket.socket()
        c.sendto(b"q" * 20, MSG_FASTOPEN, (B, 7305))
        c.recv(10)
        c.close()
        if turn == 0:
            first.set()
            changed.wait()


def play(lab):
    lab.pair()
    for place in "ab":
        lab.sysctl(place, "net.ipv4.tcp_fastopen", 3)
    lab.watch("a")
    lab.watch("b")
    first, changed = Signal(), Signal()
    lab.server("b", "fld-srv", server, 7305, changed)
    talks = lab.actor("a", "fld-cli", client, first, changed)
    first.wait()
    lab.sysctl("b", "net.ipv4.tcp_fastopen_key", "11111111-22222222-33333333-44444444")
    changed.set()
    talks.result()


again = {"retransmission": "certain"}
expect = {
    "a": view(life(f"{B}:7305", "completed", process="fld-cli", role="active", closed_by="local", tx=20, rx=5, may=again, count=2),
              events=[{"type": "segment", "flags": "SYN", "len": 20}]),
    "b": view(life(local=":7305", outcome="completed", process="fld-srv", role="passive", closed_by="peer", tx=5, rx=20, may=again, never=["spurious", "lost"], count=2)),
}
