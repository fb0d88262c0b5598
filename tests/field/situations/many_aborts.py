# SPDX-License-Identifier: Apache-2.0
"""A client breaks off each of its connections (SO_LINGER 0), beside a connection that is idle for long. The tracer has room for 1,024 flows.

Reported: health checks of load balancers, haproxy's `option nolinger`.
Right: what was broken off leaves the flow map with its socket, which has lost its peer's address by then: the idle connection keeps its flow.
"""
from field import *

COUNT = 3000


def server():
    talks, breaks = listen(7864), listen(7865)
    c = accepted(talks)
    c.sendall(read_all(c, 5))
    for _ in range(COUNT):
        r = accepted(breaks)
        r.sendall(read_all(r, 1))
        error_of(read_all, r)
        r.close()
    c.sendall(read_all(c, 5))
    read_all(c)
    c.close()


def client():
    c = connect(B, 7864)
    c.sendall(b"hello")
    read_all(c, 5)
    for _ in range(COUNT):
        s = connect(B, 7865)
        s.sendall(b"q")
        read_all(s, 1)
        abort(s)
    c.sendall(b"hello")
    read_all(c, 5)
    c.close()


def play(lab):
    lab.pair()
    lab.watch("a", "--flows", "1024", "--port", "7864,7865")
    serves = lab.server("b", "fld-srv", server, 7864)
    lab.actor("a", "fld-cli", client).result()
    serves.result()


expect = {"a": view(life(f"{B}:7864", "completed", process="fld-cli", closed_by="local", tx=10, rx=10, wire__complete=True, wire__tx_bytes=10, wire__rx_bytes=10),
                    others=["reset-by-local"], may={"reset-origin": "certain", "time-wait": "certain"}, summary={"flows_full": 0})}
