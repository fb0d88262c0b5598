# SPDX-License-Identifier: Apache-2.0
"""One process accepts and hands the socket to another one (SCM_RIGHTS), which serves it.

Reported: socket activation, envoy's hot restart, nginx' binary upgrade; tools name the acceptor.
Right: the connection names the process that serves it.
"""
from field import *


def acceptor(channel):
    s = listen(7054)
    c = accepted(s)
    socket.send_fds(channel, [b"x"], [c.fileno()])
    c.close()


def worker(channel):
    _, descriptors, _, _ = socket.recv_fds(channel, 1, 1)
    c = socket.socket(fileno=descriptors[0])
    c.setblocking(True)
    data = read_all(c, 5)
    c.sendall(data)
    c.recv(1)
    c.close()


def client():
    c = connect(B, 7054)
    time.sleep(0.1)
    c.sendall(b"hello")
    read_all(c, 5)
    c.close()


def play(lab):
    lab.pair()
    ours, theirs = socket.socketpair()
    lab.watch("b")
    lab.actor("b", "fld-worker", worker, theirs)
    lab.server("b", "fld-accept", acceptor, 7054, ours)
    lab.actor("a", "fld-cli", client)


expect = {"b": view(life(local=":7054", outcome="completed", process="fld-worker", role="passive", closed_by="peer", tx=5, rx=5, says=["fld-worker"]))}
