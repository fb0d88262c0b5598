# SPDX-License-Identifier: Apache-2.0
"""The path dies in the middle of a conversation, without a pause before it, and TCP gives up (TCP_USER_TIMEOUT).

Reported: istio 33466 and kubernetes 77903 (a node dies under load: its clients send for 15 minutes to nobody).
Right: what was sent went unanswered until the kernel gave up, and nothing came: the path or the peer is gone.
"""
from field import *

need("nft")
TCP_USER_TIMEOUT = 18


def server():
    c = accepted(listen(7483))
    while data := c.recv(100):
        c.sendall(data)


def client(talking, dead):
    c = connect(B, 7483)
    c.setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, 3000)
    for _ in range(3):
        c.sendall(b"query")
        read_all(c, 5)
    talking.set()
    dead.wait()
    found = 0
    while found == 0:
        c.sendall(b"query")
        found = error_of(c.recv, 5)
    return found


def play(lab):
    lab.routed()
    talking, dead = Signal(), Signal()
    lab.watch("a")
    served = lab.server("b", "fld-srv", server, 7483)
    asking = lab.actor("a", "fld-cli", client, talking, dead)
    talking.wait()
    lab.nft("r", "table ip f { chain f { type filter hook forward priority 0; tcp dport 7483 drop; tcp sport 7483 drop; }\n}")
    dead.set()
    lab.must(asking.result() == errno.ETIMEDOUT, "no timeout")
    served.end()


expect = {"a": view(life(f"{B}:7483", "user-timeout", process="fld-cli", errno=errno.ETIMEDOUT, findings={"path-dead": "likely", "retransmission": "certain"},
                         never=["was idle", "half-open"]))}
