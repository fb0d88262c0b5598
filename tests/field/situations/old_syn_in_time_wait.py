# SPDX-License-Identifier: Apache-2.0
"""An old SYN (a duplicate of the first) arrives for a connection in TIME_WAIT.

Reported: RFC 6191's cases; delayed duplicates of load balancers.
Right: the kernel acknowledges, and begins nothing. The connection has ended, and stays so: completed.
"""
from field import *
import forge


def server():
    c = accepted(listen(7082))
    c.recv(5)
    c.close()
    time.sleep(0.6)


def client():
    c = connect(B, 7082, (A, 5082))
    c.sendall(b"hello")
    c.recv(1)
    c.close()


def outsider(up, go):
    sniffer = forge.Sniffer("to-b")
    up.set()
    go.wait()
    source, target, seq, _ = sniffer.last(7082)
    forge.send(forge.segment(source, target, seq - 100_000, 0, forge.SYN), target[0])


def play(lab):
    lab.pair()
    up, go = Signal(), Signal()
    evil = lab.actor("a", "fld-evil", outsider, up, go)
    up.wait()
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7082)
    lab.actor("a", "fld-cli", client).result()
    until(lambda: lab.sockets("b", "state time-wait sport = :7082"), 5, "TIME_WAIT")
    go.set()
    evil.result()


expect = {"b": view(life(f"{A}:5082", "completed", local=":7082", process="fld-srv", closed_by="local", tx=0, rx=5, wire__rx_bytes=5))}
