# SPDX-License-Identifier: Apache-2.0
"""tcp_syncookies is 2: every handshake is a cookie's, with no request socket.

Reported: set to test an application under cookies, and left so.
Right: ordinary connections; that a cookie was used may be said.
"""
from field import *


def server():
    listener = listen(7202)
    for _ in range(3):
        c = accepted(listener)
        c.sendall(read_all(c, 5))
        read_all(c)
        c.close()


def client():
    for _ in range(3):
        c = connect(B, 7202)
        c.sendall(b"hello")
        read_all(c, 5)
        c.close()


def play(lab):
    lab.pair()
    lab.sysctl("b", "net.ipv4.tcp_syncookies", 2)
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7202)
    lab.actor("a", "fld-cli", client)


expect = {
    "a": view(life(f"{B}:7202", "completed", process="fld-cli", closed_by="local", tx=5, rx=5, count=3)),
    "b": view(life(local=":7202", outcome="completed", process="fld-srv", closed_by="peer", tx=5, rx=5, may={"syncookie": "certain"}, count=3)),
}
