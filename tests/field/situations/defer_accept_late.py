# SPDX-License-Identifier: Apache-2.0
"""TCP_DEFER_ACCEPT: the client sends its request 1.5 s after the handshake; the server repeats its SYN-ACK meanwhile.

Reported: nginx `deferred`, Apache's AcceptFilter: "SYN-ACK retransmissions" that no loss explains.
Right: completed; the handshake was over in no time, and the listener waited for data. Nothing was lost.
"""
from field import *


def server():
    s = listen(7208)
    s.setsockopt(socket.IPPROTO_TCP, TCP_DEFER_ACCEPT, 10)
    c = accepted(s)
    c.sendall(read_all(c, 5))
    read_all(c)
    c.close()


def client():
    c = connect(B, 7208)
    time.sleep(1.5)
    c.sendall(b"hello")
    read_all(c, 5)
    c.close()


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7208)
    lab.actor("a", "fld-cli", client).result()


expect = {
    "a": view(life(f"{B}:7208", "completed", process="fld-cli", tx=5, rx=5, closed_by="local", may={"retransmission": "likely"}, never=["slow"])),
    "b": view(life(local=":7208", outcome="completed", process="fld-srv", tx=5, rx=5, closed_by="peer", may={"retransmission": "certain"}, never=["slow", "got lost"])),
}
