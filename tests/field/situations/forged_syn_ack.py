# SPDX-License-Identifier: Apache-2.0
"""Somebody answers a SYN with the wrong acknowledgement before the server does: a blind SYN-ACK.

Reported: RFC 9293, 3.10.7.3 (half-open connections); scanners that answer in another's name.
Right: TCP refuses it by a RST of its own and goes on: the connection is made by the server's own answer to the SYN that is sent again.
"""
from forged import *


def blind(up, connecting):
    sniffer = forge.Sniffer("to-a")
    up.set()
    connecting.wait()
    time.sleep(0.3)
    source, target, seq, _ = sniffer.last(7665)
    forge.send(forge.segment(target, source, 1000, seq + 5000, forge.SYN | forge.ACK), source[0])


def plain_server():
    c = accepted(listen(7665))
    c.sendall(read_all(c, 5))
    c.recv(1)
    c.close()


def plain_client(connecting):
    connecting.set()
    c = connect(B, 7665)
    c.sendall(b"hello")
    read_all(c, 5)
    c.close()


def play(lab):
    lab.pair()
    lab.nft("b", "table ip f { chain i { type filter hook input priority 0; tcp dport 7665 drop; }\n}")
    up, connecting = Signal(), Signal()
    evil = lab.actor("b", "fld-evil", blind, up, connecting)
    up.wait()
    lab.watch("a")
    lab.server("b", "fld-srv", plain_server, 7665)
    talking = lab.actor("a", "fld-cli", plain_client, connecting)
    evil.result()
    time.sleep(0.1)
    lab.shell("b", "nft delete table ip f")
    talking.result()


expect = {"a": view(life(f"{B}:7665", "completed", process="fld-cli", closed_by="local", tx=5, rx=5, findings={"retransmission": "certain"}, may={"slow-handshake": "certain", "out-of-window": "certain"},
                         never=["reset", "refused"]))}
