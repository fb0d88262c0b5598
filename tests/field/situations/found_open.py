# SPDX-License-Identifier: Apache-2.0
"""Connections that were open before the tracer: one goes on and completes, one is reset, one stays open.

Reported: every tracer that is started when something is already wrong.
Right: all three are reported as open before; bytes are those since then by the wire, the kernel's own by the kernel; each has its process.
"""
from field import *


def server():
    s = listen(7094)
    ours = [accepted(s) for _ in range(3)]
    for c in ours:
        c.sendall(read_all(c, 5))
    read_all(ours[0])
    ours[0].close()
    error_of(ours[1].recv, 1)
    ours[1].close()
    error_of(ours[2].recv, 1)


def client(ready, go):
    ours = []
    for port in (5094, 5095, 5096):
        ours.append(connect(B, 7094, (A, port)))
        ours[-1].sendall(b"hello")
    for c in ours:
        read_all(c, 5)
    time.sleep(0.1)
    ready.set()
    go.wait()
    ours[0].sendall(b"again")
    time.sleep(0.1)
    ours[0].close()
    abort(ours[1])
    time.sleep(3)


def play(lab):
    lab.pair()
    ready, go = Signal(), Signal()
    served = lab.server("b", "fld-srv", server, 7094)
    asking = lab.actor("a", "fld-cli", client, ready, go)
    ready.wait()
    lab.watch("a")
    lab.watch("b")
    go.set()
    time.sleep(1)
    for watch in lab.watches:
        watch.stop()
    asking.end()
    served.end()


expect = {
    "a": view(life(f"{B}:7094", "completed", local=":5094", process="fld-cli", closed_by="local", preexisting=True, tx=10, rx=5, wire__tx_bytes=5),
              life(f"{B}:7094", "reset-by-local", local=":5095", process="fld-cli", closed_by="local", preexisting=True, findings={"reset-origin": "certain"}),
              life(f"{B}:7094", "open", local=":5096", process="fld-cli", closed_by="none", preexisting=True)),
    "b": view(life(f"{A}:5094", "completed", process="fld-srv", closed_by="peer", preexisting=True, tx=5, rx=10, wire__rx_bytes=5),
              life(f"{A}:5095", "reset-by-peer", process="fld-srv", closed_by="peer", preexisting=True, may={"reset-origin": "certain"}),
              life(f"{A}:5096", "open", process="fld-srv", closed_by="none", preexisting=True)),
}
