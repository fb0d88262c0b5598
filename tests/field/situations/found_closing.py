# SPDX-License-Identifier: Apache-2.0
"""Tracing begins while connections close: one socket waits in FIN_WAIT1, others in LAST_ACK, as every FIN is dropped; then the path works again.

Reported: a tracer that is started when connections already hang.
Right: the state shows who closed first, as if the FIN had been seen. A SYN is no byte of payload.
"""
from field import *

need("nft")


def server(lost, over):
    s = listen(7932)
    ours = {}
    for _ in range(3):
        c = accepted(s)
        ours[c.getpeername()[1]] = c
    read_all(ours[5937])
    read_all(ours[5938])
    lost.wait()
    ours[5937].close()
    ours[5938].sendall(b"bye")
    ours[5938].shutdown(socket.SHUT_WR)
    read_all(ours[5939])
    ours[5939].close()
    over.wait(60)


def client(ready, lost, over):
    ours = [connect(B, 7932, (A, port)) for port in (5937, 5938, 5939)]
    ours[0].sendall(b"hello")
    ours[0].shutdown(socket.SHUT_WR)
    ours[1].shutdown(socket.SHUT_WR)
    ready.set()
    lost.wait()
    ours[2].sendall(b"hello")
    ours[2].close()
    over.wait(60)


def play(lab):
    lab.pair()
    ready, lost, over = Signal(), Signal(), Signal()
    lab.server("b", "fld-srv", server, 7932, lost, over)
    lab.actor("a", "fld-cli", client, ready, lost, over)
    ready.wait()
    time.sleep(0.2)
    for place in "ab":
        lab.nft(place, "table ip f { chain i { type filter hook input priority 0; tcp sport 7932 drop; tcp dport 7932 drop; }\n}")
    lost.set()
    until(lambda: len(lab.sockets("b", "state last-ack")) == 2 and lab.sockets("a", "state fin-wait-1"), 10, "FINs on their way")
    lab.watch("a")
    lab.watch("b")
    lab.must(len(lab.sockets("b", "state last-ack")) == 2 and lab.sockets("a", "state fin-wait-1"), "it was over too soon")
    for place in "ab":
        lab.shell(place, "nft flush ruleset")
    until(lambda: not lab.sockets("b", "state connected exclude time-wait sport = :7932") and not lab.sockets("a", "state fin-wait-1"), 40, "their ends")
    over.set()


again = {"retransmission": "certain", "rx-dropped": "certain", "path-dead": "likely", "peer-not-closing": "likely"}
passive = {"closed_by": "peer", "preexisting": True, "role": lambda role: role != "active"}
expect = {
    "a": view(life(f"{B}:7932", "completed", local=":5937", process="fld-cli", role="active", closed_by="local", preexisting=True, tx=5, may=again),
              life(f"{B}:7932", "completed", local=":5938", process="fld-cli", role="active", closed_by="local", preexisting=True, tx=0, rx=3, may=again),
              life(f"{B}:7932", "completed", local=":5939", role="active", closed_by="local", preexisting=True, tx=5, may=again)),
    "b": view(life(f"{A}:5937", "completed", tx=0, rx=5, may=again, **passive),
              life(f"{A}:5938", "completed", tx=3, rx=0, may=again, **passive),
              life(f"{A}:5939", "completed", process="fld-srv", rx=5, may=again, **passive)),
}
