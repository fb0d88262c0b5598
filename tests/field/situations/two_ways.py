# SPDX-License-Identifier: Apache-2.0
"""Requests go out by one interface, the answers come in by another (asymmetric routes).

Reported: multi-homed hosts, DSR load balancers.
Right: one connection; both directions are its own, complete.
"""
from field import *


def server():
    c = accepted(listen(7095))
    c.sendall(read_all(c, 5000))
    c.recv(1)
    c.close()


def client():
    c = connect("10.5.0.2", 7095, ("10.5.0.1", 0))
    c.sendall(b"x" * 5000)
    read_all(c, 5000)
    c.close()


def play(lab):
    lab.pair()
    lab.link("a", "10.9.1.1/24", "b", "10.9.1.2/24", number="2")
    lab.ip("a", "addr add 10.5.0.1/32 dev lo")
    lab.ip("b", "addr add 10.5.0.2/32 dev lo")
    lab.ip("a", "route add 10.5.0.2 via 10.9.0.2 src 10.5.0.1")
    lab.ip("b", "route add 10.5.0.1 via 10.9.1.1 src 10.5.0.2")
    for place in "ab":
        lab.shell(place, "for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > $f; done")
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7095)
    lab.actor("a", "fld-cli", client)


expect = {
    "a": view(life("10.5.0.2:7095", "completed", process="fld-cli", tx=5000, rx=5000, wire__tx_bytes=5000, wire__rx_bytes=5000, wire__complete=True, retransmits=0)),
    "b": view(life(local=":7095", outcome="completed", process="fld-srv", tx=5000, rx=5000, wire__tx_bytes=5000, wire__rx_bytes=5000, wire__complete=True, retransmits=0)),
}
