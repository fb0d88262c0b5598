# SPDX-License-Identifier: Apache-2.0
"""A server ends (SIGKILL) while connections wait that it has not accepted.

Reported: rolling restarts; "connection reset by peer" at deploys.
Right: its kernel resets each of them. At the server nobody had accepted them.
"""
from field import *


def client(ready):
    ours = [connect(B, 7070) for _ in range(3)]
    for c in ours:
        c.sendall(b"hello")
    ready.set()
    failed = [error_of(c.recv, 1) for c in ours]
    for c in ours:
        c.close()
    return failed


def stay():
    s = listen(7070)  # kept by a local name: the listener lives as long as the process
    time.sleep(20)
    s.close()


def play(lab):
    lab.pair()
    ready = Signal()
    lab.watch("a")
    lab.watch("b")
    served = lab.server("b", "fld-srv", stay, 7070)
    talking = lab.actor("a", "fld-cli", client, ready)
    ready.wait()
    time.sleep(0.1)
    served.kill()
    lab.must(talking.result() == [errno.ECONNRESET] * 3, "they were not reset")


expect = {
    "a": view(life(f"{B}:7070", "reset-by-peer", process="fld-cli", tx=5, rx=0, closed_by="peer", errno=errno.ECONNRESET, may={"reset-origin": "certain"}, count=3)),
    "b": view(life(local=":7070", outcome="reset-by-local", process="fld-srv", closed_by="local", tx=0, rx=5, findings={"reset-origin": "certain"}, count=3)),
}
