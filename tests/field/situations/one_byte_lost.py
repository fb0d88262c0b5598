# SPDX-License-Identifier: Apache-2.0
"""An interactive session sends single bytes; one gets lost on the way and is sent again.

Reported: ssh and telnet on lossy links; one byte was called a keep-alive (certain).
Right: a retransmission. Nobody has keep-alive on.
"""
from field import *

need("nft")


def server():
    c = accepted(listen(7046))
    while data := c.recv(100):
        c.sendall(data)
    c.close()


def client(drop, dropped):
    c = connect(B, 7046)
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for n in range(10):
        if n == 5:
            drop.set()
            dropped.wait()
        c.sendall(b"k")
        c.recv(1)
        time.sleep(0.03)
    c.close()


def play(lab):
    lab.routed()
    drop, dropped = Signal(), Signal()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7046)
    lab.actor("a", "fld-cli", client, drop, dropped)
    drop.wait()
    lab.nft("r", "table ip f { chain f { type filter hook forward priority 0; tcp dport 7046 tcp flags & psh == psh limit rate 1/hour burst 1 packets drop; }\n}")
    dropped.set()


expect = {
    "a": view(life(f"{B}:7046", "completed", process="fld-cli", closed_by="local", tx=10, rx=10, retransmits=(1, 2), findings={"retransmission": "certain"})),
    "b": view(life(local=":7046", outcome="completed", process="fld-srv", tx=10, rx=10, may={"retransmission": "certain"})),
}
