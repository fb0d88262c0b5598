# SPDX-License-Identifier: Apache-2.0
"""A NAT gateway on which tracing begins while a connection is open; the server's side sends first; then both send and close.

Reported: nothing; the join must not need the handshake.
Right: one life, open before the start, both hops joined, both address forms, closed in the end.
"""
from field import *

need("nft")


def client(ready, go):
    c = connect(B, 7061)
    c.sendall(b"hello")
    read_all(c, 5)
    ready.set()
    go.wait()
    read_all(c, 100_000)
    c.sendall(b"thanks")
    c.close()


def server(go):
    c = accepted(listen(7061))
    c.sendall(read_all(c, 5))
    go.wait()
    c.sendall(b"x" * 100_000)
    read_all(c)
    c.close()


def play(lab):
    lab.routed()
    lab.nft("r", "table ip n { chain p { type nat hook postrouting priority 100; oifname \"to-b\" masquerade; }\n}")
    ready, go = Signal(), Signal()
    lab.server("b", "fld-srv", server, 7061, go)
    talks = lab.actor("a", "fld-cli", client, ready, go)
    ready.wait()
    lab.watch("r", "--forwarded")
    go.set()
    talks.result()


expect = {"r": view(life(f"{B}:7061", "completed", local="10.8.0.1", nat__local__ip="10.9.0.254", preexisting=True, forwarded__joined=True, rx=(99_000, 100_000), tx=6,
                         forwarded__lost_to_client=0, forwarded__lost_to_server=0))}
