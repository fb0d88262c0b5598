# SPDX-License-Identifier: Apache-2.0
"""Two routers send a network to each other: a SYN for it goes round until its hop limit is used up.

Reported: "no route to host" after a migration that left a stale route behind (time exceeded in traceroute).
Right: unreachable, by a message that says time exceeded.
"""
from field import *


def client():
    return error_of(connect, "10.6.0.1", 7071)


def play(lab):
    lab.routed()
    lab.sysctl("b", "net.ipv4.ip_forward", 1)
    for place in ("r", "b"):
        lab.sysctl(place, "net.ipv4.conf.all.send_redirects", 0)
        lab.sysctl(place, "net.ipv4.conf.default.send_redirects", 0)
    for place, name in (("r", "to-b"), ("b", "to-r")):
        lab.sysctl(place, f"net.ipv4.conf.{name}.send_redirects", 0)
    lab.ip("r", "route add 10.6.0.0/24 via 10.9.0.2")
    lab.watch("r", "--forwarded")
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.EHOSTUNREACH, "it did not fail")


expect = {"r": view(life("10.6.0.1:7071", "unreachable", local="10.8.0.1", closed_by="none", may={"forward-dropped": "certain"},
                         says=["time exceeded|hop limit"], never=["timed out", "sent .* again", "kernel retransmitted"]))}
