# SPDX-License-Identifier: Apache-2.0
"""A virtual address moves to another host (keepalived, VRRP) while a connection is open: the new host knows nothing of it.

Reported: keepalived, MetalLB, Patroni failovers: "connection reset by peer" at the failover.
Right: at the client a RST came from the peer's address; at the old host the address is gone, and its end stays open with no word of a close.
"""
from field import *

VIP = "10.9.0.100"


def server(done):
    c = accepted(listen(7523))
    c.sendall(read_all(c, 5))
    done.wait(30)
    os._exit(0)


def client(ready, go):
    c = connect(VIP, 7523)
    c.sendall(b"hello")
    read_all(c, 5)
    ready.set()
    go.wait()
    c.sendall(b"again")
    failed = error_of(c.recv, 5)
    c.close()
    return failed


def play(lab):
    lab.netns("a", "b", "c", "s")
    for place, address in (("a", "10.9.0.1/24"), ("b", "10.9.0.2/24"), ("c", "10.9.0.3/24")):
        lab.link(place, address, "s", [])
    lab.bridge("s", "to-a", "to-b", "to-c")
    lab.ip("b", f"addr add {VIP}/32 dev to-s")
    done, ready, go = Signal(), Signal(), Signal()
    lab.server("b", "fld-srv", server, 7523, done)
    lab.watch("a")
    lab.watch("b")
    talks = lab.actor("a", "fld-cli", client, ready, go)
    ready.wait()
    lab.ip("b", f"addr del {VIP}/32 dev to-s")
    lab.ip("c", f"addr add {VIP}/32 dev to-s")
    lab.ip("a", "neigh flush dev to-s")
    go.set()
    lab.must(talks.result() == errno.ECONNRESET, "it was not reset")
    for watch in lab.watches:
        watch.stop()
    done.set()


expect = {
    "a": view(life(f"{VIP}:7523", "reset-by-peer", process="fld-cli", closed_by="peer", tx=5, rx=5, errno=errno.ECONNRESET, may={"reset-origin": "certain"})),
    "b": view(life(local=f"{VIP}:7523", outcome="open", process="fld-srv", closed_by="none", tx=5, rx=5)),
}
