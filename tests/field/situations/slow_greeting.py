# SPDX-License-Identifier: Apache-2.0
"""A server that speaks first (SMTP, SSH, FTP, MySQL) looks up its client's name before its greeting, and that takes two seconds.

Reported: "ssh takes ages to connect": UseDNS, postfix' delayed banner.
Right: nothing is lost, and nothing was asked: the server sent its first byte after two seconds; the client answered at once.
"""
from field import *


def server():
    c = accepted(listen(7856))
    time.sleep(2)
    c.sendall(b"220 hello\r\n")
    read_all(c, 6)
    c.sendall(b"221 bye\r\n")
    c.close()


def client():
    c = connect(B, 7856)
    c.recv(100)
    c.sendall(b"QUIT\r\n")
    read_all(c)
    c.close()


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7856)
    lab.actor("a", "fld-cli", client).result()


expect = {
    "a": view(life(f"{B}:7856", "completed", process="fld-cli", closed_by="peer", never=["request took", "its request"])),
    "b": view(life(local=":7856", outcome="completed", process="fld-srv", closed_by="local", never=["accept\\(\\) or the first read came late"])),
}
