# SPDX-License-Identifier: Apache-2.0
"""An MPTCP client and a server that knows only TCP.

Reported: mptcp_net-next 11, 176.
Right: one TCP connection of the client's process.
"""
from field import *

need("mptcp")


def server():
    c = accepted(listen(7033))
    c.sendall(read_all(c, 5))
    c.recv(1)
    c.close()


def client():
    c = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
    c.connect((B, 7033))
    c.sendall(b"hello")
    c.recv(10)
    c.close()
    time.sleep(0.3)


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7033)
    lab.actor("a", "fld-mcli", client)


expect = {
    "a": view(life(f"{B}:7033", "completed", process="fld-mcli", role="active", closed_by="local", tx=5, rx=5), never=["ICMP"]),
    "b": view(life(local=":7033", outcome="completed", process="fld-srv", role="passive", closed_by="peer", tx=5, rx=5), never=["ICMP"]),
}
