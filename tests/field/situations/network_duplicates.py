# SPDX-License-Identifier: Apache-2.0
"""The network delivers every packet towards the client twice (a bridge loop, a broken bond).

Reported: wireshark's "TCP Dup ACK", D-SACKs without a retransmission; captures with each packet twice.
Right: no TCP sent anything again. The copies have the same IP identification; the server's kernel counts no retransmission.
"""
from field import *

need("nft")


def server():
    c = accepted(listen(7096))
    for _ in range(5):
        c.sendall(read_all(c, 5) * 400)
    c.recv(1)
    c.close()


def client():
    c = connect(B, 7096)
    for _ in range(5):
        c.sendall(b"hello")
        read_all(c, 2000)
        time.sleep(0.02)
    c.close()


def play(lab):
    lab.routed()
    lab.nft("r", "table ip f { chain p { type filter hook postrouting priority 0; tcp sport 7096 dup to 10.8.0.1 device to-a; }\n}")
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7096)
    lab.actor("a", "fld-cli", client)


may = {"out-of-window": "likely", "rx-dropped": "likely"}
expect = {
    "a": view(life(f"{B}:7096", "completed", process="fld-cli", closed_by="local", tx=25, rx=10000, retransmits=0, retransmits_in=0, may=may)),
    "b": view(life(local=":7096", outcome="completed", process="fld-srv", closed_by="peer", tx=10000, rx=25, wire__tx_bytes=10000, retransmits=0, retransmits_in=0)),
}
