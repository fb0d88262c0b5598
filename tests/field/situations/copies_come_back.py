# SPDX-License-Identifier: Apache-2.0
"""A switch loop: what a host sends comes back to it by another interface, and its routing refuses it.

Reported: mirror ports and bridges wired in a ring; Linux logs "martian source".
Right: the connection is an ordinary one. Nobody on this host was asked, and nothing that was meant for it got lost.
"""
from field import *

need("nft")


def server():
    c = accepted(listen(7444))
    read_all(c)
    c.sendall(b"y" * 20_000)
    c.close()


def client():
    c = connect(B, 7444)
    c.sendall(b"x" * 20_000)
    c.shutdown(socket.SHUT_WR)
    size = len(read_all(c))
    c.close()
    return size


def play(lab):
    lab.pair()
    lab.link("a", "10.19.0.1/24", "b", "10.19.0.2/24", number="2")
    lab.nft("b", "table ip f { chain p { type filter hook prerouting priority -300; tcp dport 7444 dup to 10.19.0.1 device to-a2; }\n}")
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7444)
    lab.must(lab.actor("a", "fld-cli", client).result() == 20_000, "not all came")


never = ("on this machine and never reached",)
expect = {
    "a": view(life(f"{B}:7444", "completed", process="fld-cli", tx=20_000, rx=20_000, never=never), never=never),
    "b": view(life(local=":7444", outcome="completed", process="fld-srv", rx=20_000, tx=20_000)),
}
