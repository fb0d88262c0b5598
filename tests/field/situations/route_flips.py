# SPDX-License-Identifier: Apache-2.0
"""The route of a connection moves to another interface in the middle of a transfer.

Reported: BGP and bonding fail-overs; a second path was taken for a stacked device, and its segments were not counted.
Right: one connection; all bytes are counted, whichever way they went.
"""
from field import *


def server(moved):
    s = listen(7067)
    c = accepted(s)
    c.sendall(b"x" * 5000)
    c.recv(2)
    moved.wait()
    c.sendall(b"y" * 5000)
    read_all(c)
    c.close()


def client(first, moved):
    c = connect("10.5.0.2", 7067, ("10.5.0.1", 0))
    read_all(c, 5000)
    first.set()
    moved.wait()
    c.sendall(b"go")
    read_all(c, 5000)
    c.sendall(b"z" * 700)
    c.close()


def play(lab):
    lab.pair()
    lab.link("a", "10.9.1.1/24", "b", "10.9.1.2/24", number="2")
    lab.ip("a", "addr add 10.5.0.1/32 dev lo")
    lab.ip("b", "addr add 10.5.0.2/32 dev lo")
    lab.ip("a", "route add 10.5.0.2 via 10.9.0.2 src 10.5.0.1")
    lab.ip("b", "route add 10.5.0.1 via 10.9.0.1 src 10.5.0.2")
    first, moved = Signal(), Signal()
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7067, moved)
    talking = lab.actor("a", "fld-cli", client, first, moved)
    first.wait()
    lab.ip("a", "route replace 10.5.0.2 via 10.9.1.2 src 10.5.0.1")
    lab.ip("b", "route replace 10.5.0.1 via 10.9.1.1 src 10.5.0.2")
    moved.set()
    talking.result()


expect = {"a": view(life("10.5.0.2:7067", "completed", process="fld-cli", closed_by="local", tx=702, rx=10000, wire__tx_bytes=702, wire__rx_bytes=10000, wire__complete=True,
                         retransmits=0))}
