# SPDX-License-Identifier: Apache-2.0
"""Two hundred SYNs from addresses that do not exist fill a small listener; a real client comes meanwhile.

Reported: SYN floods; "possible SYN flooding on port ... Sending cookies".
Right: the real client's connection completes, by a SYN cookie. None of the forged ones is a connection that failed for a reason of this host.
"""
from field import *
import forge


def server():
    s = listen(7085, backlog=8)
    c = accepted(s)
    c.sendall(read_all(c, 5))
    c.recv(1)
    c.close()


def outsider():
    for n in range(200):
        forge.send(forge.segment((f"10.9.0.{50 + n % 100}", 20000 + n), (B, 7085), 7 * n, 0, forge.SYN), B)


def client():
    c = connect(B, 7085)
    c.sendall(b"hello")
    read_all(c, 5)
    c.close()


def play(lab):
    lab.pair()
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7085)
    lab.actor("a", "fld-evil", outsider).result()
    lab.actor("a", "fld-cli", client)


expect = {"b": view(life(f"{A}", "completed", local=":7085", process="fld-srv", tx=5, rx=5, closed_by="peer", findings={"syncookie": "certain"},
                         may={"retransmission": "certain"}), findings={"syn-flood": "likely"},
                 may={"syncookie": "certain", "retransmission": "certain"}, others=("unknown", "open"))}
