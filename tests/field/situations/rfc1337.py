# SPDX-License-Identifier: Apache-2.0
"""As in time_wait_assassinated, but with tcp_rfc1337: the RST does not end TIME_WAIT.

Right: completed at both ends; the RST changed nothing.
"""
from field import *

import forge


def server():
    c = accepted(listen(7913))
    c.sendall(read_all(c, 5))
    read_all(c)
    c.close()


def client():
    c = connect(B, 7913)
    c.sendall(b"hello")
    read_all(c, 5)
    c.close()
    time.sleep(0.3)


def outsider(up, over):
    sniffer = forge.Sniffer("to-a")
    up.set()
    over.wait()
    source, target, seq, _ = sniffer.last(7913)
    answer, ack, _ = sniffer.seen[target, source]
    forge.send(forge.segment(target, source, answer - 6, seq, forge.PSH | forge.ACK, b"hello"), source[0])
    time.sleep(0.3)


def play(lab):
    lab.pair()
    lab.sysctl("a", "net.ipv4.tcp_rfc1337", 1)
    up, over = Signal(), Signal()
    evil = lab.actor("b", "fld-evil", outsider, up, over)
    up.wait()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7913)
    lab.actor("a", "fld-cli", client).result()
    lab.must(lab.sockets("a", "state time-wait dport = :7913"), "no TIME_WAIT")
    over.set()
    evil.result()
    lab.must(lab.sockets("a", "state time-wait dport = :7913"), "TIME_WAIT is gone")


expect = {
    "a": view(life(f"{B}:7913", "completed", process="fld-cli", tx=5, rx=5, closed_by="local", never=["reset by", "ended by a RST"]),
              may={"stray-segment": "certain"}),
    "b": view(life(local=":7913", outcome="completed", process="fld-srv", tx=5, rx=5, closed_by="peer", never=["reset by", "ended by a RST"]),
              may={"stray-segment": "certain"}),
}
