# SPDX-License-Identifier: Apache-2.0
"""The own interface's MTU is lowered in the middle of an upload (a tunnel that comes up, an operator), and raised again.

Reported: WireGuard and Docker MTU changes on a live host.
Right: the upload completes; segments are smaller for a while. Nothing was lost on the path, and no path is a black hole.
"""
from field import *

need("ethtool")
SIZE = 600_000


def server():
    c = accepted(listen(7605))
    size = len(read_all(c))
    c.close()
    return size


def client(middle, go):
    c = connect(B, 7605)
    for piece in range(6):
        if piece in (2, 4):
            middle[piece].set()
            go[piece].wait()
        c.sendall(b"z" * 100_000)
        time.sleep(0.05)
    c.close()


def play(lab):
    lab.pair()
    lab.no_offload("a", "to-b")
    lab.no_offload("b", "to-a")
    middle, go = {2: Signal(), 4: Signal()}, {2: Signal(), 4: Signal()}
    lab.watch("a")
    lab.watch("b")
    served = lab.server("b", "fld-srv", server, 7605)
    sending = lab.actor("a", "fld-cli", client, middle, go)
    for piece, mtu in ((2, 600), (4, 1500)):
        middle[piece].wait()
        lab.ip("a", f"link set to-b mtu {mtu}")
        go[piece].set()
    sending.result()
    lab.must(served.result() == SIZE, "it did not all arrive")


expect = {
    "a": view(life(f"{B}:7605", "completed", process="fld-cli", closed_by="local", tx=SIZE, rx=0, may={"retransmission": "certain"}, never=["black hole"])),
    "b": view(life(local=":7605", outcome="completed", process="fld-srv", closed_by="peer", tx=0, rx=SIZE, may={"retransmission": "certain"})),
}
