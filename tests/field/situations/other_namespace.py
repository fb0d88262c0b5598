# SPDX-License-Identifier: Apache-2.0
"""A process makes its sockets in one network namespace and then lives in another (systemd's NetworkNamespacePath, pasta, a CNI's proxy).

Right: the sockets belong to the namespace they were made in; the process is named all the same.
"""
from field import *
from lab import CLONE_NEWNET, LIBC


def server(elsewhere, up):
    s = listen(7826)
    with open(f"/run/netns/{elsewhere}") as place:
        LIBC.setns(place.fileno(), CLONE_NEWNET)
    up.set()
    c = accepted(s)
    c.sendall(read_all(c, 5))
    c.recv(1)
    c.close()


def client(elsewhere):
    s = socket.socket()
    with open(f"/run/netns/{elsewhere}") as place:
        LIBC.setns(place.fileno(), CLONE_NEWNET)
    s.settimeout(5)
    s.connect((B, 7826))
    s.sendall(b"hello")
    read_all(s, 5)
    s.close()


def play(lab):
    lab.pair()
    lab.netns("x")
    up = Signal()
    lab.watch("a")
    lab.watch("b")
    lab.watch("x")
    lab.actor("b", "fld-srv", server, lab.full("x"), up)
    up.wait()
    lab.actor("a", "fld-cli", client, lab.full("x")).result()


expect = {
    "a": view(life(f"{B}:7826", "completed", process="fld-cli", closed_by="local", tx=5, rx=5)),
    "b": view(life(local=":7826", outcome="completed", process="fld-srv", closed_by="peer", tx=5, rx=5)),
    "x": view(),
}
