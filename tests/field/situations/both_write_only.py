# SPDX-License-Identifier: Apache-2.0
"""Both ends write and neither reads: both windows close (a deadlock of two protocols); then one of them gives up.

Reported: "deadlock when both sides send large messages" (pipelined databases, MPI over TCP).
Right: both windows were closed, each by the process that did not read. No path is dead, and no peer.
"""
from field import *


def pump(c):
    c.setblocking(False)
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        try:
            c.send(b"x" * 65536)
        except BlockingIOError:
            time.sleep(0.02)


def server(done):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    s.bind(("", 7648))
    s.listen(4)
    c = accepted(s)
    pump(c)
    c.setblocking(True)
    c.settimeout(5)
    error_of(read_all, c)
    c.close()


def client():
    c = socket.socket()
    c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    c.connect((B, 7648))
    pump(c)
    c.close()


def play(lab):
    lab.pair()
    done = Signal()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7648, done)
    lab.actor("a", "fld-cli", client).result()


both = {"zero-window": "certain"}
expect = {
    "a": view(life(f"{B}:7648", ("reset-by-local", "aborted"), process="fld-cli", closed_by="local", findings=both, may={"retransmission": "certain", "reset-origin": "certain"}, never=["dead", "half-open"], says=["unread"])),
    "b": view(life(local=":7648", outcome="reset-by-peer", process="fld-srv", closed_by="peer", findings=both, may={"retransmission": "certain", "reset-origin": "certain"}, never=["dead", "half-open"])),
}
