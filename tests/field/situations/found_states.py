# SPDX-License-Identifier: Apache-2.0
"""Tracing begins while connections are in FIN_WAIT2, CLOSE_WAIT, SYN_SENT, in an accept queue, or open; all of them close in order later.

Reported: a tracer that is started when something is already wrong.
Right: each is one connection of its process, and who closed first is known.
"""
from field import *

need("nft")


def server(go):
    s = listen(7930)
    ours = {}
    for _ in range(4):
        c = accepted(s)
        ours[c.getpeername()[1]] = c
        if c.getpeername()[1] == 5932:
            c.shutdown(socket.SHUT_WR)
    go.wait()
    time.sleep(0.3)
    for c in ours.values():
        error_of(read_all, c)
    for c in ours.values():
        c.close()
    time.sleep(0.2)
    late = accepted(s)
    read_all(late)
    late.close()


def client(ready, go):
    fin_wait2, close_wait, fin_wait1, syn_sent = connect(B, 7930, (A, 5931)), connect(B, 7930, (A, 5932)), connect(B, 7930, (A, 5933)), socket.socket()
    lost = connect(B, 7930, (A, 5936))
    queued = connect(B, 7930, (A, 5935))
    syn_sent.setblocking(False)
    syn_sent.bind((A, 5934))
    error_of(syn_sent.connect, (B, 7931))
    fin_wait2.sendall(b"hello")
    fin_wait2.shutdown(socket.SHUT_WR)
    read_all(close_wait)
    ready.set()
    go.wait()
    time.sleep(0.1)
    close_wait.close()
    fin_wait2.close()
    fin_wait1.close()
    lost.close()
    syn_sent.close()
    queued.sendall(b"hello")
    queued.close()
    time.sleep(1.5)


def play(lab):
    lab.pair()
    lab.nft("b", "table ip f { chain i { type filter hook input priority 0; tcp dport 7931 drop; }\n}")
    ready, go = Signal(), Signal()
    lab.server("b", "fld-srv", server, 7930, go)
    asking = lab.actor("a", "fld-cli", client, ready, go)
    ready.wait()
    time.sleep(0.2)
    lab.watch("a")
    lab.watch("b")
    go.set()
    asking.result()


expect = {"a": view(life(f"{B}:7930", "completed", local=":5931", process="fld-cli", closed_by="local", preexisting=True),
                    life(f"{B}:7930", "completed", local=":5932", process="fld-cli", closed_by="peer", preexisting=True),
                    life(f"{B}:7930", "completed", local=":5933", process="fld-cli", closed_by="local", preexisting=True),
                    life(f"{B}:7930", "completed", local=":5936", process="fld-cli", closed_by="local", preexisting=True),
                    life(f"{B}:7931", "connect-cancelled", may={"retransmission": "certain"}, local=":5934", process="fld-cli", closed_by="local", preexisting=True),
                    life(f"{B}:7930", "completed", local=":5935", process="fld-cli", closed_by="local", preexisting=True)),
          "b": view(life(f"{A}:5931", "completed", process="fld-srv", closed_by="peer", preexisting=True),
                    life(f"{A}:5932", "completed", process="fld-srv", closed_by="local", preexisting=True),
                    life(f"{A}:5933", "completed", process="fld-srv", closed_by="peer", preexisting=True),
                    life(f"{A}:5936", "completed", process="fld-srv", closed_by="peer", preexisting=True),
                    life(f"{A}:5935", "completed", process="fld-srv", closed_by="peer", preexisting=True), may={"rx-dropped": "certain"})}
