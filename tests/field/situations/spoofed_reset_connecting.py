# SPDX-License-Identifier: Apache-2.0
"""While a SYN is unanswered somebody forges a RST whose acknowledgement is wrong.

Reported: tricep 97 (SYN-SENT must check the acknowledgement), scanners.
Right (RFC 9293, 3.10.7.3): it is dropped. The SYN is sent again and the connection completes.
"""
from field import *
import forge

need("nft")


def server():
    c = accepted(listen(7081))
    c.sendall(read_all(c, 5))
    c.recv(1)
    c.close()


def client():
    c = connect(B, 7081, (A, 5081))
    c.sendall(b"hello")
    read_all(c, 5)
    c.close()


def outsider():
    for number in (12345, 900_000_000):
        forge.send(forge.segment((B, 7081), (A, 5081), 0, number, forge.RST | forge.ACK), A)


def play(lab):
    lab.pair()
    lab.nft("b", "table ip f { chain i { type filter hook input priority 0; tcp dport 7081 drop; }\n}")
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7081)
    lab.actor("a", "fld-cli", client)
    until(lambda: lab.sockets("a", "state syn-sent dport = :7081"), 5, "SYN_SENT")
    lab.actor("b", "fld-evil", outsider).result()
    lab.shell("b", "nft delete table ip f")


expect = {"a": view(life(f"{B}:7081", "completed", process="fld-cli", closed_by="local", tx=5, rx=5, findings={"retransmission": "certain"},
                         may={"slow-handshake": "certain", "out-of-window": "certain"}))}
