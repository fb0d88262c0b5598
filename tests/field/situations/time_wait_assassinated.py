# SPDX-License-Identifier: Apache-2.0
"""An old segment reaches a connection in TIME_WAIT; the ACK that answers it meets a peer that knows nothing any more, and whose RST ends TIME_WAIT.

Reported: RFC 1337 (TIME-WAIT assassination hazards); duplicates on long paths.
Right: the connection was over before: completed at both ends. The RST ended TIME_WAIT and no connection.
"""
from field import *
import forge


def server():
    c = accepted(listen(7203))
    c.sendall(read_all(c, 5))
    read_all(c)
    c.close()


def client():
    c = connect(B, 7203)
    c.sendall(b"hello")
    read_all(c, 5)
    c.close()
    time.sleep(0.3)


def outsider(up, over):
    sniffer = forge.Sniffer("to-a")
    up.set()
    over.wait()
    source, target, seq, _ = sniffer.last(7203)
    answer, ack, _ = sniffer.seen[target, source]
    forge.send(forge.segment(target, source, answer - 6, seq, forge.PSH | forge.ACK, b"hello"), source[0])
    time.sleep(0.3)


def play(lab):
    lab.pair()
    up, over = Signal(), Signal()
    evil = lab.actor("b", "fld-evil", outsider, up, over)
    up.wait()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7203)
    lab.actor("a", "fld-cli", client).result()
    lab.must(lab.sockets("a", "state time-wait dport = :7203"), "no TIME_WAIT")
    over.set()
    evil.result()
    lab.must(not lab.sockets("a", "state time-wait dport = :7203"), "TIME_WAIT is still there")


expect = {
    "a": view(life(f"{B}:7203", "completed", process="fld-cli", tx=5, rx=5, closed_by="local", never=["reset by", "ended by a RST"]),
              may={"stray-segment": "certain"}),
    "b": view(life(local=":7203", outcome="completed", process="fld-srv", tx=5, rx=5, closed_by="peer", never=["reset by", "ended by a RST"]),
              may={"stray-segment": "certain"}),
}
