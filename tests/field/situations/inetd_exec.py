# SPDX-License-Identifier: Apache-2.0
"""A super-server accepts, forks, and the child becomes cat with the socket as its input and output (inetd, socket activation).

Reported: xinetd, systemd Accept=yes; the connection named the super-server.
Right: the connection belongs to cat.
"""
from field import *


def server():
    c = accepted(listen(7092))
    c.setblocking(True)
    if os.fork() == 0:
        os.dup2(c.fileno(), 0)
        os.dup2(c.fileno(), 1)
        os.closerange(3, 100)
        os.execv("/bin/cat", ["cat"])
    c.close()
    os.wait()


def client():
    c = connect(B, 7092)
    for _ in range(3):
        c.sendall(b"hello")
        read_all(c, 5)
    c.close()


def play(lab):
    lab.pair()
    lab.watch("b")
    lab.server("b", "fld-inetd", server, 7092)
    lab.actor("a", "fld-cli", client)


expect = {"b": view(life(local=":7092", outcome="completed", process="cat", role="passive", closed_by="peer", tx=15, rx=15))}
