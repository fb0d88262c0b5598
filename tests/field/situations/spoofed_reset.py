# SPDX-License-Identifier: Apache-2.0
"""Somebody forges RSTs: one far outside the window, one inside it but not at the expected number.

Reported: tricep 97, smoltcp and every RFC 5961 test; middleboxes and scanners do it.
Right (RFC 5961, 3.2): the first is dropped, the second is answered by a challenge ACK. The connection goes on and completes. Neither RST ended anything,
and nothing was sent again.
"""
from field import *
import forge


def server(go):
    c = accepted(listen(7040))
    c.sendall(read_all(c, 5))
    go.wait()
    c.sendall(b"after")
    c.recv(1)
    c.close()


def client(ready):
    c = connect(B, 7040)
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
    source, target, seq, _ = sniffer.last(7040)  # what the client sends next
    for offset in (300_000_000, 1000):
        back = sniffer.seen[target, source][0]
        forge.send(forge.segment(target, source, back + offset, 0, forge.RST), source[0])
        time.sleep(0.1)
    go.set()


def play(lab):
    lab.pair()
    up, ready, go = Signal(), Signal(), Signal()
    lab.actor("b", "fld-evil", outsider, up, ready, go)
    up.wait()
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7040, go)
    lab.actor("a", "fld-cli", client, ready)


expect = {"a": view(life(f"{B}:7040", "completed", process="fld-cli", closed_by="local", tx=5, rx=10, retransmits=0, wire__rx_bytes=10,
                         may={"out-of-window": "certain"}))}
