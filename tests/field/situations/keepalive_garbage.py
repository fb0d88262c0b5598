# SPDX-License-Identifier: Apache-2.0
"""A client of another stack keeps its connection alive with a byte of garbage (Windows, old BSD).

Reported: RFC 1122, 4.2.3.6 and RFC 9293, 3.8.4; wireshark-users 2006.
Right: keep-alive, answered. Nothing was sent again, although TCP drops the byte as old data.
"""
from field import *
from forge import ACK, Sniffer, segment, send


def server():
    c = accepted(listen(7100))
    c.sendall(read_all(c, 5))
    c.recv(1)
    c.close()


def client(asked, sent):
    c = connect(B, 7100)
    c.sendall(b"hello")
    read_all(c, 5)
    asked.set()
    sent.wait()
    c.close()


def probe():
    sniffer = Sniffer("to-b")
    yield sniffer
    source, target, seq, ack = sniffer.last(7100)
    send(segment(source, target, seq - 1, ack, ACK, b"\0", window=64), target[0])


def outsider(ready, asked, sent):
    steps = probe()
    next(steps)
    ready.set()
    asked.wait()
    time.sleep(1.2)
    next(steps, None)
    time.sleep(0.2)
    sent.set()


def play(lab):
    lab.pair()
    lab.sysctl("a", "net.ipv4.tcp_timestamps", 0)
    ready, asked, sent = Signal(), Signal(), Signal()
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7100)
    lab.actor("a", "fld-stack", outsider, ready, asked, sent)
    ready.wait()
    lab.actor("a", "fld-cli", client, asked, sent)


expect = {"b": view(life(local=":7100", outcome="completed", process="fld-srv", closed_by="peer", tx=5, rx=5, retransmits=0, retransmits_in=0,
                         findings={"keepalive": "certain"}))}
