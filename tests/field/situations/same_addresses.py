# SPDX-License-Identifier: Apache-2.0
"""Two pairs of namespaces use the same addresses and ports, as containers do; in one of them segments are dropped.

Reported: container hosts with overlapping networks (moby, podman defaults).
Right: the watched connection is healthy. Each drop belongs to the other pair.
"""
from field import *


def server(bad):
    c = accepted(listen(7017))
    c.recv(10)
    if bad:
        drop_all(c)
    c.sendall(b"go")
    time.sleep(2.2)
    c.close()


def client(bad):
    c = connect("10.9.9.2", 7017, ("10.9.9.1", 5001))
    c.sendall(b"hi")
    c.recv(2)
    if bad:
        c.sendall(b"dropped")
        time.sleep(1)
        abort(c)
    else:
        time.sleep(2.5)
        c.close()


def play(lab):
    lab.netns("g1", "g2", "a", "b")
    lab.link("g1", "10.9.9.1/24", "g2", "10.9.9.2/24")
    lab.link("a", "10.9.9.1/24", "b", "10.9.9.2/24")
    lab.watch("g1")
    lab.watch("g2")
    lab.server("g2", "fld-gsrv", server, 7017, False)
    lab.server("b", "fld-bsrv", server, 7017, True)
    lab.actor("g1", "fld-gcli", client, False)
    lab.actor("a", "fld-bcli", client, True)


quiet = ("g1", "g2")  # nothing is sent again there
expect = {
    "g1": view(life("10.9.9.2:7017", "completed", process="fld-gcli", closed_by="peer", tx=2, rx=2, retransmits=0), never=["drop"]),
    "g2": view(life("10.9.9.1:5001", "completed", process="fld-gsrv", closed_by="local", tx=2, rx=2, retransmits=0), never=["drop"]),
}
