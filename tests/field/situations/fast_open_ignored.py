# SPDX-License-Identifier: Apache-2.0
"""Data in a SYN that the server does not take: it has forgotten Fast Open.

Reported: draft-ietf-tcpm-tcp-edo, Android's TFO roll-back; load balancers of mixed versions.
Right: the SYN-ACK acknowledges the SYN alone; the data is sent again. The bytes of kernel and wire do not disagree.
"""
from field import *

need("fast open")


def server(options):
    s = listen(7047)
    if options:
        s.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 16)
    c = accepted(s)
    read_all(c, 20)
    c.sendall(b"reply")
    c.recv(1)
    c.close()


def client():
    c = socket.socket()
    c.sendto(b"q" * 20, MSG_FASTOPEN, (B, 7047))
    c.recv(10)
    c.close()


def play(lab):
    lab.pair()
    for place in "ab":
        lab.sysctl(place, "net.ipv4.tcp_fastopen", 3)
    first = lab.server("b", "fld-srv", server, 7047, True)
    lab.actor("a", "fld-cli", client).result()
    first.result()
    lab.sysctl("b", "net.ipv4.tcp_fastopen", 1)
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7047, False)
    lab.actor("a", "fld-cli", client)


expect = {
    "a": view(life(f"{B}:7047", "completed", process="fld-cli", tx=20, rx=5, closed_by="local", may={"retransmission": "certain"}),
              events=[{"type": "segment", "flags": "SYN", "len": 20}, {"type": "segment", "flags": "SYN,ACK", "rel_ack": 1}]),
    "b": view(life(local=":7047", outcome="completed", process="fld-srv", tx=5, rx=20, closed_by="peer", may={"retransmission": "certain"})),
}
