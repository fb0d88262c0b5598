# SPDX-License-Identifier: Apache-2.0
"""The server's machine gives what comes in another source address (SNAT in the INPUT hook); a listener would match both.

Reported: serverfault 1008556.
Right: one connection of the server, with the address that its socket has, and the translation.
"""
from field import *

need("nft")


def server():
    c, peer = listen(7867).accept()
    c.sendall(read_all(c, 5))
    read_all(c)
    c.close()
    return peer[0]


def client():
    c = connect(B, 7867)
    c.sendall(b"hello")
    read_all(c, 5)
    c.close()


def play(lab):
    lab.pair()
    lab.nft("b", "table ip n { chain i { type nat hook input priority 100; tcp dport 7867 snat to 192.0.2.5; }\n}")
    lab.ip("b", "route add 192.0.2.0/24 via 10.9.0.1")
    lab.watch("b")
    serves = lab.server("b", "fld-srv", server, 7867)
    lab.actor("a", "fld-cli", client).result()
    lab.must(serves.result() == "192.0.2.5", "not translated")


expect = {"b": view(life(local=f"{B}:7867", outcome="completed", process="fld-srv", closed_by="peer", tx=5, rx=5, wire__complete=True, nat__remote__ip="10.9.0.1"))}
