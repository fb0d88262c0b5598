# SPDX-License-Identifier: Apache-2.0
"""The path loses all that the receiver sends for a while: the data arrives, and no ACK comes back (an asymmetric route).

Reported: satellite and LTE uplinks; routers of which one drops by state.
Right: the data all arrived at once; what was sent again was in vain, as the receiver's kernel tells.
"""
from field import *

need("nft")


def server():
    c = accepted(listen(7645))
    for _ in range(2):
        read_all(c, 3000)
        c.sendall(b"k")
    read_all(c)
    c.close()


def client(ready, go):
    c = connect(B, 7645)
    c.sendall(b"x" * 3000)
    read_all(c, 1)
    ready.set()
    go.wait()
    c.sendall(b"y" * 3000)
    read_all(c, 1)
    c.close()


def play(lab):
    lab.routed()
    ready, go = Signal(), Signal()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7645)
    talking = lab.actor("a", "fld-cli", client, ready, go)
    ready.wait()
    lab.nft("r", "table ip f { chain f { type filter hook forward priority 0; tcp sport 7645 drop; }\n}")
    go.set()
    time.sleep(0.7)
    lab.shell("r", "nft delete table ip f")
    talking.result()


expect = {
    "a": view(life(f"{B}:7645", "completed", process="fld-cli", closed_by="local", tx=6000, rx=2, findings={"retransmission": "certain"})),
    "b": view(life(local=":7645", outcome="completed", process="fld-srv", closed_by="peer", tx=2, rx=6000, findings={"retransmission": "certain"}, says=["spurious"])),
}
