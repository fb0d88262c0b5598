# SPDX-License-Identifier: Apache-2.0
"""A SYN for an established connection is forged (or comes from a client that lost its state).

Reported: zephyr 48465, gvisor 7619.
Right (RFC 5961, 4.2): a challenge ACK answers it; the connection goes on with its old numbers and completes. All bytes are counted.
"""
from field import *
import forge


def server(go):
    c = accepted(listen(7041))
    c.sendall(read_all(c, 5))
    go.wait()
    c.sendall(b"x" * 3000)
    c.recv(1)
    c.close()


def client(ready):
    c = connect(B, 7041)
    c.sendall(b"hello")
    read_all(c, 5)
    ready.set()
    read_all(c, 3000)
    time.sleep(0.1)
    c.close()


def outsider(up, ready, go):
    sniffer = forge.Sniffer("to-b")
    up.set()
    ready.wait()
    time.sleep(0.1)
    source, target, seq, _ = sniffer.last(7041)
    for number in (seq + 5000, seq + 900_000_000):
        forge.send(forge.segment(source, target, number, 0, forge.SYN), target[0])
        time.sleep(0.1)
    go.set()


def play(lab):
    lab.pair()
    up, ready, go = Signal(), Signal(), Signal()
    lab.actor("a", "fld-evil", outsider, up, ready, go)
    up.wait()
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7041, go)
    lab.actor("a", "fld-cli", client, ready)


expect = {"b": view(life(local=":7041", outcome="completed", process="fld-srv", closed_by="peer", tx=3005, rx=5, wire__tx_bytes=3005, wire__rx_bytes=5,
                         wire__complete=True, retransmits=0, may={"out-of-window": "certain"}))}
