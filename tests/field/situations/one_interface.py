# SPDX-License-Identifier: Apache-2.0
"""Asymmetric routes, and only one of the two interfaces is traced (-i): keep-alive probes leave by it, their answers come by the other one.

Reported: multihomed servers, direct server return; a capture on one leg alone.
Right: each probe was answered, as the connection lives on (the kernel probes once and starts anew). None may be called unanswered. Nor is
the pause between two requests the time that one of them took.
"""
from field import *
from two_legs import HERE, THERE, two_legs

PROBES = 3


def server():
    c = accepted(listen(7156))
    c.sendall(read_all(c, 5))
    c.sendall(read_all(c, 5))
    read_all(c)
    c.close()


def client():
    c = connect(THERE, 7156, (HERE, 0))
    c.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 2)):
        c.setsockopt(socket.IPPROTO_TCP, option, value)
    c.sendall(b"hello")
    read_all(c, 5)
    time.sleep(PROBES + 0.4)
    c.sendall(b"again")
    read_all(c, 5)
    c.close()


def play(lab):
    two_legs(lab)
    lab.watch("a", "-i", "to-b1")
    lab.watch("b", "-i", "to-a1")
    lab.server("b", "fld-srv", server, 7156)
    lab.actor("a", "fld-cli", client).result()


found = {"findings": {"keepalive": "certain"}, "never": ["unanswered", r"\banswered 0\b", "0 answered", "[Rr]equest took"]}
expect = {
    "a": view(life(f"{THERE}:7156", "completed", process="fld-cli", tx=10, rx=10, says=["no segment of the peer was seen"], **found)),
    "b": view(life(local=":7156", outcome="completed", process="fld-srv", tx=10, rx=10, says=["no segment of this side was seen"], **found)),
}
