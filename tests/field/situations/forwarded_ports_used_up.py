# SPDX-License-Identifier: Apache-2.0
"""A gateway masquerades to two ports; two connections to a server have them, and a third one wants one.

Reported: flannel 1001 and every SNAT gateway whose ports are used up: the SYN is dropped without a word.
Right: the third SYN came in and never left, dropped by the gateway; the two others are whole. (Of two ports NAT may miss the free one at first, and
drop the second SYN too.)
"""
from field import *

need("nft")


def client(ready, done):
    first, second = connect(B, 7072), connect(B, 7072)
    ready.set()
    done.wait()
    return [s.close() for s in (first, second)] and 0


def third():
    return error_of(connect, B, 7072, None, 1.5)


def server():
    listener = listen(7072)
    for s in [accepted(listener) for _ in range(2)]:
        read_all(s)
        s.close()


def play(lab):
    lab.routed()
    lab.nft("r", 'table ip n { chain out { type nat hook postrouting priority 100; oifname "to-b" tcp dport 7072 masquerade to :50000-50001; }; }')
    ready, done = Signal(), Signal()
    lab.server("b", "fld-srv", server, 7072)
    lab.watch("r", "--forwarded")
    others = lab.actor("a", "fld-cli", client, ready, done)
    ready.wait()
    lab.must(lab.actor("a", "fld-third", third).result() == errno.ETIMEDOUT, "it had an answer")
    done.set()
    others.result()


expect = {"r": view(
    life(f"{B}:7072", "completed", count=2, nat__local__ip="10.9.0.254", wire__complete=True, may={"forward-dropped": "certain", "retransmission": "likely"}),
    life(f"{B}:7072", ("open", "unknown"), findings={"forward-dropped": "certain"}, may={"retransmission": "likely"}, forwarded__joined=False, nat=None))}
