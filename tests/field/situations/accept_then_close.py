# SPDX-License-Identifier: Apache-2.0
"""A server takes a connection and closes it at once, unread (a wrapper that denies, a full pool).

Reported: "connection reset by peer" right after connect(): tcp wrappers, MySQL's host blocking, HAProxy's maxconn.
Right: the server's process closed with the question unread. Nothing refused the connection itself.
"""
from field import *


def server():
    s = listen(7653)
    c = accepted(s)
    time.sleep(0.1)
    c.close()


def client():
    c = connect(B, 7653)
    c.sendall(b"hello")
    failed = error_of(c.recv, 5)
    c.close()
    return failed


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7653)
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ECONNRESET, "no reset")


expect = {
    "a": view(life(f"{B}:7653", "reset-by-peer", process="fld-cli", closed_by="peer", tx=5, rx=0, errno=errno.ECONNRESET, may={"reset-origin": "certain"}, never=["refused"])),
    "b": view(life(local=":7653", outcome="reset-by-local", process="fld-srv", closed_by="local", findings={"reset-origin": "certain"}, says=["unread"], never=["listener"])),
}
