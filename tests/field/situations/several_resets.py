# SPDX-License-Identifier: Apache-2.0
"""A client writes three times behind the server's close with unread data: the server's host answers each segment with a RST.

Reported: "a second RST hides the one that did end it"; pipelining HTTP clients.
Right: reset by the peer, by the first RST. The others found no socket.
"""
from field import *


def server(go):
    c = accepted(listen(7080))
    c.recv(2)
    go.wait()
    c.close()


def client(go):
    c = connect(B, 7080)
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    c.sendall(b"hello")
    time.sleep(0.1)
    go.set()
    failed = 0
    end = time.monotonic() + 5
    while not failed and time.monotonic() < end:
        failed = error_of(c.send, b"more")
    c.close()
    return failed


def play(lab):
    lab.pair()
    go = Signal()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7080, go)
    lab.must(lab.actor("a", "fld-cli", client, go).result() in (errno.ECONNRESET, errno.EPIPE), "no reset")


expect = {
    "a": view(life(f"{B}:7080", "reset-by-peer", process="fld-cli", closed_by="peer", may={"reset-origin": "certain"}), may={"stray-segment": "certain"}),
    "b": view(life(local=":7080", outcome="reset-by-local", process="fld-srv", closed_by="local", findings={"reset-origin": "certain"}, may={"stray-segment": "certain"}),
              may={"stray-segment": "certain"}),
}
