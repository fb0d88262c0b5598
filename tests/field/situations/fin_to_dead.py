# SPDX-License-Identifier: Apache-2.0
"""A host has forgotten its connections (a restart, a fail-over), and a peer closes one of them: its FIN finds no socket; the RST is lost, so the FIN comes again and again.

Reported: kubernetes 124290 (FINs between ends of which one is gone already). The RST that is lost is ours.
Right: segments of one sender that fit no connection, one finding with their number.
"""
from field import *

need("nft")


def server(ready, go):
    c = accepted(listen(7484))
    c.sendall(read_all(c, 5))
    ready.set()
    go.wait()
    c.setsockopt(socket.IPPROTO_TCP, 19, 1)  # TCP_REPAIR: close() sends nothing
    c.close()
    time.sleep(5)


def client(closed):
    c = connect(B, 7484)
    c.sendall(b"hello")
    read_all(c, 5)
    closed.wait()
    c.close()
    time.sleep(4)


def play(lab):
    lab.routed()
    ready, go, closed = Signal(), Signal(), Signal()
    lab.watch("b")
    served = lab.server("b", "fld-srv", server, 7484, ready, go)
    asking = lab.actor("a", "fld-cli", client, closed)
    ready.wait()
    lab.nft("r", "table ip f { chain f { type filter hook forward priority 0; tcp sport 7484 tcp flags rst drop; }\n}")
    go.set()
    time.sleep(0.3)
    closed.set()
    asking.result()
    time.sleep(1)
    served.end()


expect = {"b": view(life(local=":7484", process="fld-srv", may={"retransmission": "certain"}), findings={"stray-segment": "certain"},
                    never=["a FIN from"])}
