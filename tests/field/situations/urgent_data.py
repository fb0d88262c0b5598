# SPDX-License-Identifier: Apache-2.0
"""Urgent data (MSG_OOB), as telnet and FTP send it; the reader leaves it where it is.

Right: an ordinary connection; the urgent byte counts as any other.
"""
from field import *


def server():
    c = accepted(listen(7213))
    read_all(c)
    c.close()


def client():
    c = connect(B, 7213)
    c.sendall(b"abort")
    c.send(b"!", socket.MSG_OOB)
    time.sleep(0.1)
    c.sendall(b"now")
    c.close()


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7213)
    lab.actor("a", "fld-cli", client)


expect = {
    "a": view(life(f"{B}:7213", "completed", process="fld-cli", closed_by="local", tx=9, rx=0)),
    "b": view(life(local=":7213", outcome="completed", process="fld-srv", closed_by="peer", tx=0, rx=9)),
}
