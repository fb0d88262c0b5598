# SPDX-License-Identifier: Apache-2.0
"""ICMP messages are forged for a connection: port unreachable with a number that was never sent, and one with a right number.

Reported: RFC 5927 (blind reset by ICMP).
Right: in a synchronised state such messages end nothing (they are soft errors, or ignored). The connection completes.
"""
from field import *
import forge


def server(go):
    c = accepted(listen(7043))
    c.sendall(read_all(c, 5))
    go.wait()
    c.sendall(b"after")
    c.recv(1)
    c.close()


def client(ready):
    c = connect(B, 7043)
    c.sendall(b"hello")
    read_all(c, 5)
    ready.set()
    read_all(c, 5)
    time.sleep(0.1)
    c.close()


def outsider(up, ready, go):
    sniffer = forge.Sniffer("to-a")
    up.set()
    ready.wait()
    time.sleep(0.1)
    source, target, seq, _ = sniffer.last(7043)
    for offset in (-1, 1_000_000):
        quoted = forge.segment(source, target, seq + offset, 0, forge.ACK)[:28]
        body = struct.pack("!BBHI", 3, 3, 0, 0) + quoted
        body = body[:2] + struct.pack("!H", forge.checksum(body)) + body[4:]
        forge.send(forge.ip_packet(target[0], source[0], 1, body), source[0])
        time.sleep(0.05)
    go.set()


def play(lab):
    lab.pair()
    up, ready, go = Signal(), Signal(), Signal()
    lab.actor("b", "fld-evil", outsider, up, ready, go)
    up.wait()
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7043, go)
    lab.actor("a", "fld-cli", client, ready)


expect = {"a": view(life(f"{B}:7043", "completed", process="fld-cli", closed_by="local", tx=5, rx=10, retransmits=0, errno=None))}
