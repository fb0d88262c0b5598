# SPDX-License-Identifier: Apache-2.0
"""An ACK that TCP refuses (it acknowledges what was never sent) says that the window is zero.

Reported: blind ACK attacks (RFC 5961, 5).
Right: the segment is refused; the peer's window never closed, and no bytes were acknowledged by it.
"""
from field import *
import forge


def server(go):
    c = accepted(listen(7042))
    c.sendall(read_all(c, 5))
    go.wait()
    c.recv(5)
    c.close()


def client(ready, go):
    c = connect(B, 7042)
    c.sendall(b"hello")
    read_all(c, 5)
    ready.set()
    go.wait()
    c.sendall(b"again")
    c.recv(1)
    c.close()


def outsider(up, ready, go):
    sniffer = forge.Sniffer("to-a")
    up.set()
    ready.wait()
    time.sleep(0.1)
    source, target, seq, _ = sniffer.last(7042)
    back = sniffer.seen[target, source][0]
    for acked in (400_000_000, 500_000_000):
        forge.send(forge.segment(target, source, back, seq + acked, forge.ACK, window=0), source[0])
        time.sleep(0.05)
    go.set()
    go.set()


def play(lab):
    lab.pair()
    up, ready, go = Signal(), Signal(), Signal()
    lab.actor("b", "fld-evil", outsider, up, ready, go)
    up.wait()
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7042, go)
    lab.actor("a", "fld-cli", client, ready, go)


expect = {"a": view(life(f"{B}:7042", "completed", process="fld-cli", closed_by="peer", tx=10, rx=5, retransmits=0, wire__complete=True,
                         may={"out-of-window": "certain"}))}
