# SPDX-License-Identifier: Apache-2.0
"""Tracing begins while requests are half open: their last ACKs are dropped. One gets through later, the listener of another closes.

Right: one connection completes; the other's request is over with its listener.
"""
from field import *

need("nft")


def server(go):
    s, other = listen(7938), listen(7939)
    go.wait()
    other.close()
    c = accepted(s)
    read_all(c)
    c.close()


def client(ready, go):
    one, other = connect(B, 7938, (A, 5946)), connect(B, 7939, (A, 5947))
    ready.set()
    go.wait()
    time.sleep(0.3)
    one.sendall(b"hello")
    other.sendall(b"hello")
    failed = error_of(other.recv, 1)
    one.close()
    return failed


def play(lab):
    lab.pair()
    ready, go = Signal(), Signal()
    lab.nft("b", "table ip f { chain i { type filter hook input priority 0; tcp dport 7938-7939 tcp flags & (syn | ack) == ack drop; }\n}")
    lab.server("b", "fld-srv", server, 7938, go)
    asking = lab.actor("a", "fld-cli", client, ready, go)
    ready.wait()
    lab.watch("b")
    lab.must(len(lab.sockets("b", "state syn-recv")) == 2, "no requests")
    lab.shell("b", "nft flush ruleset")
    go.set()
    lab.must(asking.result() == errno.ECONNRESET, "not reset")


again = {"retransmission": "certain", "rx-dropped": "certain", "slow-handshake": "certain", "reset-origin": "certain"}
expect = {"b": view(life(f"{A}:5946", "completed", local=":7938", process="fld-srv", role="passive", closed_by="peer", rx=5, may=again),
                    life(f"{A}:5947", "reset-by-local", local=":7939", process="fld-srv", role="passive", may=again), may={"stray-segment": "certain"})}
