# SPDX-License-Identifier: Apache-2.0
"""A sender that uses MSG_ZEROCOPY.

Reported: liburing 801, xfr 33, netty 15747.
Right: the kernel puts completion notices on the socket's error queue. That is no error, and there is no ICMP message anywhere.
"""
from field import *


def server():
    c = accepted(listen(7023))
    size = len(read_all(c))
    c.close()
    return size


def client():
    c = connect(B, 7023, timeout=None)
    c.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
    for _ in range(10):
        c.send(b"z" * 20000, MSG_ZEROCOPY)
        time.sleep(0.02)
    notices = error_of(c.recvmsg, 0, 512, socket.MSG_ERRQUEUE)
    c.close()
    return notices


def play(lab):
    lab.pair()
    lab.watch("a")
    served = lab.server("b", "fld-srv", server, 7023)
    lab.must(lab.actor("a", "fld-cli", client).result() == 0, "no completion notice came")
    lab.must(served.result() == 200000, "not all bytes came")


expect = {"a": view(life(f"{B}:7023", "completed", process="fld-cli", closed_by="local", tx=200000, rx=0), never=["ICMP"])}
