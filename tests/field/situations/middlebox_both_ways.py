# SPDX-License-Identifier: Apache-2.0
"""A box on the way ends a connection for both ends at once: a forged RST to each, with a hop limit of its own.

Reported: intrusion prevention and censorship boxes; "connection reset by peer" in both logs, and each blames the other.
Right: neither end sent a RST. Its TTL is not that of the peer's segments: that shows it, and nothing else does, for nobody goes on behind it.
"""
from field import *
import forge


def server():
    c = accepted(listen(7204))
    c.sendall(read_all(c, 5))
    failed = error_of(read_all, c)
    c.close()
    return failed


def client(ready):
    c = connect(B, 7204)
    c.sendall(b"hello")
    read_all(c, 5)
    ready.set()
    failed = error_of(read_all, c)
    c.close()
    return failed


def box(up, ready):
    sniffer = forge.Sniffer("to-a")
    up.set()
    ready.wait()
    time.sleep(0.1)
    source, target, seq, _ = sniffer.last(7204)
    forge.send(forge.segment(target, source, sniffer.seen[target, source][0], seq, forge.RST | forge.ACK, ttl=121), source[0])
    return source, seq, sniffer.seen[target, source][0]


def other_way(source, seq, ack):
    forge.send(forge.segment(source, (B, 7204), seq, ack, forge.RST | forge.ACK, ttl=121), B)


def play(lab):
    lab.pair()
    up, ready = Signal(), Signal()
    evil = lab.actor("b", "fld-evil", box, up, ready)
    up.wait()
    lab.watch("a")
    lab.watch("b")
    server_ = lab.server("b", "fld-srv", server, 7204)
    talking = lab.actor("a", "fld-cli", client, ready)
    lab.actor("a", "fld-evil", other_way, *evil.result())
    lab.must((talking.result(), server_.result()) == (errno.ECONNRESET, errno.ECONNRESET), "not both were reset")


ends = ("reset-by-outsider", "reset-by-peer")
expect = {
    "a": view(life(f"{B}:7204", ends, process="fld-cli", tx=5, rx=5, errno=errno.ECONNRESET, findings={"reset-origin": "likely"}, says=["121"]), may={"stray-segment": "certain"}),
    "b": view(life(local=":7204", outcome=ends, process="fld-srv", tx=5, rx=5, errno=errno.ECONNRESET, findings={"reset-origin": "likely"}, says=["121"]), may={"stray-segment": "certain"}),
}
