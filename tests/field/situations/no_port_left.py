# SPDX-License-Identifier: Apache-2.0
"""No local port is left for connect().

Reported: casper-node 3252, hitch 213, emqtt-bench 221, shadowsocks-libev 2930.
Right: the port range has one port, which an open connection to the same server uses. connect() fails at once with EADDRNOTAVAIL: no SYN was made,
nothing timed out and nobody refused.
"""
from field import *


def server():
    c = accepted(listen(7005))
    c.recv(10)
    c.close()


def client():
    first = connect(B, 7005)
    second = socket.socket()
    failed = [error_of(second.connect, (B, 7005)) for _ in range(2)]
    second.close()
    first.close()
    return failed


def play(lab):
    lab.pair()
    lab.sysctl("a", "net.ipv4.ip_local_port_range", "40000 40000")
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7005)
    lab.must(lab.actor("a", "fld-cli", client).result() == [errno.EADDRNOTAVAIL] * 2, "there was a port left")


expect = {"a": view(
    life(f"{B}:7005", "completed", local=":40000", process="fld-cli", closed_by="local"),
    life(f"{B}:7005", "no-local-port", process="fld-cli", errno=errno.EADDRNOTAVAIL, findings={"port-exhaustion": "certain"},
         never=["timed out", "no answer", "refused"], count=2))}
