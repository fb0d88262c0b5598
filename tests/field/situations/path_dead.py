# SPDX-License-Identifier: Apache-2.0
"""A connection is idle for a while; meanwhile a NAT box forgets it, and drops everything from then on without a word.

Reported: cockroach 13823, httpx 2975, istio 36499: the first query after a pause hangs for 15 minutes.
Right: the path is dead since the pause: what was sent then is not answered at all, though the connection worked before.
"""
from field import *

need("nft")


def server():
    c = accepted(listen(7052))
    c.sendall(read_all(c, 5))
    error_of(c.recv, 1)
    time.sleep(5)
    abort(c)


def client(idle, dead):
    c = connect(B, 7052)
    c.sendall(b"query")
    read_all(c, 5)
    idle.set()
    dead.wait()
    time.sleep(1)
    c.sendall(b"query")
    c.settimeout(6)
    error_of(c.recv, 5)


def play(lab):
    lab.routed()
    idle, dead = Signal(), Signal()
    lab.watch("a")
    served = lab.server("b", "fld-srv", server, 7052)
    asking = lab.actor("a", "fld-cli", client, idle, dead)
    idle.wait()
    lab.nft("r", "table ip f { chain f { type filter hook forward priority 0; tcp dport 7052 drop; tcp sport 7052 drop; }\n}")
    dead.set()
    asking.result()
    served.end()


expect = {"a": view(life(f"{B}:7052", "open", process="fld-cli", tx=5, rx=5, findings={"path-dead": "likely", "retransmission": "certain"},
                         never=["half-open"]))}
