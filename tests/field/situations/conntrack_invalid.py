# SPDX-License-Identifier: Apache-2.0
"""A node translates a connection; a segment far outside the window is INVALID for conntrack, is not translated back, and the node answers it with a RST.

Reported: kubernetes 74839, 117924; libnetwork 2275; moby 18630.
Right: the server's connection is ended by a RST that the client never sent: it comes from the node, whose TTL (64) is not that of the client's segments
(63). So at most likely the peer's. At the node: a segment that fits no connection of its own, and no life.
"""
from field import *
import forge

need("nft", "conntrack")


def server(go, done):
    c = accepted(listen(7044))
    c.sendall(read_all(c, 5))
    go.wait()
    result = error_of(c.recv, 5)
    done.set()
    c.close()
    return result


def client(ready, done):
    c = connect(B, 7044)
    c.sendall(b"hello")
    read_all(c, 5)
    ready.set()
    done.wait()
    abort(c)


def outsider(up, ready, go):
    sniffer = forge.Sniffer("to-r")
    up.set()
    ready.wait()
    time.sleep(0.1)
    client_end, server_end, expected, _ = sniffer.last(7044)
    back = sniffer.seen[server_end, client_end][0]
    go.set()
    # what the server's TCP could have sent: its number is right, and it acknowledges more than conntrack has seen
    forge.send(forge.segment(server_end, client_end, back + 2_000_000, expected, forge.ACK, b"late"), client_end[0])


def play(lab):
    lab.routed()
    lab.nft("r", "table ip n { chain p { type nat hook postrouting priority 100; oifname \"to-b\" masquerade; }\n}")
    up, ready, go, done = Signal(), Signal(), Signal(), Signal()
    lab.actor("b", "fld-evil", outsider, up, ready, go)
    up.wait()
    lab.watch("r")
    lab.watch("b")
    served = lab.server("b", "fld-srv", server, 7044, go, done)
    lab.actor("a", "fld-cli", client, ready, done)
    lab.must(served.result() in (0, errno.ECONNRESET), "the server's recv() did not end")


expect = {
    "r": view(findings={"stray-segment": "certain"}),
    "b": view(life(local=":7044", outcome="reset-by-peer", process="fld-srv", tx=5, rx=5, may={"reset-origin": "likely"})),
}
