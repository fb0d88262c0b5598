# SPDX-License-Identifier: Apache-2.0
"""The server's host lost its memory of a connection (restart, fail-over); the client's next request is reset.

Reported: AWS NAT gateways' RST after 350 s (httpx 2975, istio 36499), database fail-overs.
Right: reset by the peer, which answered the first segment after the silence with a RST: half-open (likely).
"""
from field import *


def server(forget):
    c = accepted(listen(7084))
    c.sendall(read_all(c, 5))
    forget.wait()
    c.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    c.close()


def client(forget):
    c = connect(B, 7084)
    c.sendall(b"hello")
    read_all(c, 5)
    forget.set()
    time.sleep(1.5)
    failed = error_of(c.sendall, b"again") or error_of(c.recv, 5)
    c.close()
    return failed


def play(lab):
    lab.pair()
    forget = Signal()
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7084, forget)
    lab.must(lab.actor("a", "fld-cli", client, forget).result() == errno.ECONNRESET, "no reset")


expect = {"a": view(life(f"{B}:7084", "reset-by-peer", process="fld-cli", closed_by="peer", errno=errno.ECONNRESET, may={"half-open": "likely", "reset-origin": "certain"},
                         never=["unanswered", "write-after"]))}
