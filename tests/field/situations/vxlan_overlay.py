# SPDX-License-Identifier: Apache-2.0
"""A connection through a VXLAN tunnel, as between two nodes of a cluster: its segments cross the tunnel's device, and inside UDP the cable.

Reported: flannel, calico, docker overlays: packets counted twice, or not at all.
Right: one life at each end, each byte once, nothing sent again.
"""
from field import *


def server():
    c = accepted(listen(7308))
    c.sendall(b"x" * len(read_all(c, 100_000)))
    c.recv(1)
    c.close()


def client():
    c = connect("10.77.0.2", 7308)
    c.sendall(b"y" * 100_000)
    read_all(c, 100_000)
    c.close()


def play(lab):
    lab.pair()
    for place, own, other in (("a", A, B), ("b", B, A)):
        lab.device(place, f"vx type vxlan id 7 local {own} remote {other} dstport 4789")
        lab.ip(place, f"addr add 10.77.0.{own[-1]}/24 dev vx")
        lab.ip(place, "link set vx up")
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7308)
    lab.actor("a", "fld-cli", client).result()


expect = {
    "a": view(life("10.77.0.2:7308", "completed", process="fld-cli", closed_by="local", tx=100_000, rx=100_000, wire__tx_bytes=100_000, wire__rx_bytes=100_000,
                   wire__complete=True, retransmits=0)),
    "b": view(life(local=":7308", outcome="completed", process="fld-srv", closed_by="peer", tx=100_000, rx=100_000, wire__tx_bytes=100_000, wire__rx_bytes=100_000,
                   wire__complete=True, retransmits=0)),
}
