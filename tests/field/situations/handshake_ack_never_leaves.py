# SPDX-License-Identifier: Apache-2.0
"""The client's machine drops the ACK that ends the handshake, and lets the data pass that follows: the data completes it.

Reported: rules that match empty ACKs; scrubbing firewalls.
Right: one ACK of this side never left; the connection was whole all the same.
"""
from field import *

need("nft")


def server():
    c = accepted(listen(7647))
    c.sendall(read_all(c, 5))
    c.recv(1)
    c.close()


def client():
    c = connect(B, 7647)
    time.sleep(0.3)
    c.sendall(b"hello")
    read_all(c, 5)
    c.close()


def play(lab):
    lab.pair()
    lab.nft("a", "table ip f { chain o { type filter hook output priority 0; tcp dport 7647 tcp flags == ack meta length 52 limit rate over 1/hour burst 1 packets accept; tcp dport 7647 tcp flags == ack meta length 52 drop; }\n}")
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7647)
    lab.actor("a", "fld-cli", client).result()


expect = {
    "a": view(life(f"{B}:7647", "completed", process="fld-cli", closed_by="local", tx=5, rx=5, findings={"tx-not-sent": "certain"}, may={"retransmission": "certain"})),
    "b": view(life(local=":7647", outcome="completed", process="fld-srv", closed_by="peer", tx=5, rx=5, may={"retransmission": "certain", "slow-handshake": "certain", "slow-accept": "likely"})),
}
