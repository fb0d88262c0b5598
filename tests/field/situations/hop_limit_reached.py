# SPDX-License-Identifier: Apache-2.0
"""connect() through a router with a hop limit of one (IP_TTL): the router answers with time exceeded.

Reported: routing loops and tunnels: "no route to host" although the route is there.
Right: EHOSTUNREACH by ICMP type 11 of the router, when it came and not when the socket was closed.
"""
from field import *


def client():
    s = socket.socket()
    s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)
    s.settimeout(5)
    error = error_of(s.connect, (B, 7260))
    time.sleep(0.5)
    s.close()
    return error


def play(lab):
    lab.routed()
    lab.watch("a")
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.EHOSTUNREACH, "not EHOSTUNREACH")


expect = {"a": view(life(f"{B}:7260", "unreachable", process="fld-cli", errno=errno.EHOSTUNREACH, closed_by="none", tx=0, may={"retransmission": "certain"},
                         says=[r"time exceeded \(ICMP type 11, code 0\), sent by 10\.8\.0\.254"], never=["before any answer"]))}
