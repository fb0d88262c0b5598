# SPDX-License-Identifier: Apache-2.0
"""A SYN with a newer number and an older timestamp arrives for a connection in TIME_WAIT: another host behind the same NAT address and port.

Reported: clients behind one NAT that time out now and then against servers that close first.
Right: the kernel refuses it by its timestamp (PAWS), acknowledges, and begins nothing. The connection has ended, and stays so: completed.
"""
from field import *
import forge


def server():
    c = accepted(listen(7083))
    c.recv(5)
    c.close()
    time.sleep(0.6)


def client():
    c = connect(B, 7083, (A, 5083))
    c.sendall(b"hello")
    c.recv(1)
    c.close()


def outsider(up, go):
    sniffer = forge.Sniffer("to-b")
    up.set()
    go.wait()
    source, target, seq, _ = sniffer.last(7083)
    stamp = b"\x01\x01\x08\x0a" + struct.pack(">II", 1, 0)
    forge.send(forge.segment(source, target, seq + 100_000, 0, forge.SYN, options=stamp), target[0])


def play(lab):
    lab.pair()
    up, go = Signal(), Signal()
    evil = lab.actor("a", "fld-evil", outsider, up, go)
    up.wait()
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7083)
    lab.actor("a", "fld-cli", client).result()
    until(lambda: lab.sockets("b", "state time-wait sport = :7083"), 5, "TIME_WAIT")
    go.set()
    evil.result()


expect = {"b": view(life(f"{A}:5083", "completed", local=":7083", process="fld-srv", closed_by="local", tx=0, rx=5, wire__rx_bytes=5))}
