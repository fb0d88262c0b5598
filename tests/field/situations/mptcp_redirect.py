# SPDX-License-Identifier: Apache-2.0
"""A MPTCP connection to a port that the server's host redirects.

Reported: mptcp_net-next 328.
Right: one connection at each end; at the server the socket's port and the one on the wire.
"""
from field import *

need("mptcp", "nft")


def server():
    c = accepted(listen(8080, protocol=IPPROTO_MPTCP))
    c.sendall(read_all(c, 5))
    c.recv(1)
    c.close()


def client():
    c = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
    c.connect((B, 80))
    c.sendall(b"hello")
    read_all(c, 5)
    c.close()
    time.sleep(0.3)


def play(lab):
    lab.pair()
    lab.nft("b", "table ip n { chain p { type nat hook prerouting priority -100; tcp dport 80 redirect to :8080; }\n}")
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-msrv", server, 8080)
    lab.actor("a", "fld-mcli", client)


expect = {
    "a": view(life(f"{B}:80", "completed", process="fld-mcli", role="active", wire__complete=True)),
    "b": view(life(local=":8080", outcome="completed", process="fld-msrv", role="passive", wire__complete=True, nat__local__port=80), never=["no matching socket"]),
}
