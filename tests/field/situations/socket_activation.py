# SPDX-License-Identifier: Apache-2.0
"""Socket activation: one process holds the listening socket and only polls it; another one, started with the first connection, accepts and serves.

Reported: systemd.socket, launchd; claude-code-cache-fix 304 ("a supervisor holds the listening socket and hands it down on fd 3").
Right: each connection is of the process that serves it, and the second one waits for nothing.
"""
from field import *

import select


def supervisor():
    s = listen(7511)
    select.select([s], [], [])
    if os.fork() == 0:
        ctypes.CDLL(None).prctl(15, b"fld-served", 0, 0, 0)
        for _ in range(2):
            c = accepted(s)
            c.sendall(read_all(c, 5))
            read_all(c)
            c.close()
        os._exit(0)
    os.wait()
    s.close()


def client():
    for _ in range(2):
        c = connect(B, 7511)
        c.sendall(b"hello")
        read_all(c, 5)
        c.close()


def play(lab):
    lab.pair()
    lab.watch("b")
    lab.server("b", "fld-super", supervisor, 7511)
    lab.actor("a", "fld-cli", client)


expect = {"b": view(life(local=":7511", outcome="completed", process="fld-served", closed_by="peer", rx=5, tx=5, count=2))}
