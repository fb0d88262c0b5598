# SPDX-License-Identifier: Apache-2.0
"""The peer's link goes down for a second in the middle of a conversation, and comes back.

Reported: cables, live migration, bond fail-over.
Right: what was sent meanwhile is sent again and arrives: a retransmission, a completed connection. Nobody vanished for good, and there is no half-open end.
"""
from field import *


def server():
    c = accepted(listen(7083))
    while data := c.recv(100):
        c.sendall(data)
    c.close()


def client(down, isdown):
    c = connect(B, 7083)
    c.sendall(b"hello")
    read_all(c, 5)
    time.sleep(0.1)
    down.set()
    isdown.wait()
    c.sendall(b"again")
    read_all(c, 5)
    c.close()


def play(lab):
    lab.pair()
    down, isdown = Signal(), Signal()
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7083)
    talking = lab.actor("a", "fld-cli", client, down, isdown)
    down.wait()
    lab.ip("b", "link set to-a down")
    isdown.set()
    time.sleep(1)
    lab.ip("b", "link set to-a up")
    talking.result()


expect = {"a": view(life(f"{B}:7083", "completed", process="fld-cli", closed_by="local", tx=10, rx=10, findings={"retransmission": "certain"},
                         may={"tx-not-sent": "certain", "path-dead": "likely"}, never=["ICMP", "half-open"]))}
