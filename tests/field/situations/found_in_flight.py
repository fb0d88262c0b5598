# SPDX-License-Identifier: Apache-2.0
"""Tracing begins while data is on its way and nothing is acknowledged; then the path works again.

Reported: a tracer that is started when a transfer already hangs.
Right: who connected is known all the same, so that the SYN is no byte of payload: the bytes are those that the sender wrote.
"""
from field import *

need("nft")


def server():
    c = accepted(listen(7935))
    c.sendall(b"x" * 1000)
    read_all(c)
    c.close()


def client(ready, go, sent, over):
    c = connect(B, 7935)
    read_all(c, 500)
    ready.set()
    go.wait()
    c.sendall(b"y" * 700)
    sent.set()
    read_all(c, 500)
    over.wait(60)
    c.close()
    time.sleep(0.2)


def play(lab):
    lab.pair()
    ready, go, sent, over = Signal(), Signal(), Signal(), Signal()
    lab.server("b", "fld-srv", server, 7935)
    asking = lab.actor("a", "fld-cli", client, ready, go, sent, over)
    ready.wait()
    lab.nft("b", "table ip f { chain i { type filter hook input priority 0; tcp dport 7935 drop; }\n}")
    go.set()
    sent.wait()
    lab.watch("a")
    lab.watch("b")
    lab.must(lab.sockets("a", "dport = :7935")[0].split()[2] == "700", "nothing is on its way")
    lab.shell("b", "nft flush ruleset")
    until(lambda: lab.sockets("a", "dport = :7935")[0].split()[2] == "0", 30, "the acknowledgement")
    over.set()
    asking.result()


again = {"retransmission": "certain", "rx-dropped": "certain", "path-dead": "likely"}
expect = {"a": view(life(f"{B}:7935", "completed", process="fld-cli", role="active", closed_by="local", preexisting=True, tx=700, rx=1000, may=again)),
          "b": view(life(local=":7935", outcome="completed", process="fld-srv", closed_by="peer", preexisting=True, tx=1000, rx=700,
                        role=lambda role: role != "active", may=again))}
