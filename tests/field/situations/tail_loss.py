# SPDX-License-Identifier: Apache-2.0
"""The last segment of a request gets lost; the sender's tail-loss probe repairs that.

Reported: slow last responses; RFC 8985.
Right: one retransmission at the sender, a tail-loss probe or a timer; the receiver sees it once, so nothing is spurious there.
"""
from field import *

need("nft")


def server():
    c = accepted(listen(7089))
    data = read_all(c, 3005)
    c.sendall(b"ok")
    c.recv(1)
    c.close()
    return len(data)


def client(drop, dropped):
    c = connect(B, 7089)
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    c.sendall(b"hello")
    time.sleep(0.1)
    drop.set()
    dropped.wait()
    c.sendall(b"x" * 2900)
    c.sendall(b"y" * 100)
    read_all(c, 2)
    c.close()


def play(lab):
    lab.routed()
    drop, dropped = Signal(), Signal()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7089)
    lab.actor("a", "fld-cli", client, drop, dropped)
    drop.wait()
    lab.nft("r", "table ip f { chain f { type filter hook forward priority 0; tcp dport 7089 meta length 100-200 limit rate 1/hour burst 1 packets drop; }\n}")
    dropped.set()


expect = {
    "a": view(life(f"{B}:7089", "completed", process="fld-cli", tx=3005, rx=2, retransmits=1, findings={"retransmission": "certain"}, never=["spurious", "keep-alive"])),
    "b": view(life(local=":7089", outcome="completed", process="fld-srv", tx=2, rx=3005, may={"retransmission": "certain"}, never=["spurious"])),
}
