# SPDX-License-Identifier: Apache-2.0
"""The router finds nobody at the server's address, and reports it (host unreachable) after three seconds.

Reported: undici 1764, systemd 9774 (EHOSTUNREACH of hosts that are down).
Right: unreachable, by the router's message; the SYNs had left.
"""
from field import *


def client():
    return error_of(connect, "10.9.0.77", 7087)


def play(lab):
    lab.routed()
    lab.watch("a")
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.EHOSTUNREACH, "not EHOSTUNREACH")


expect = {"a": view(life("10.9.0.77:7087", "unreachable", process="fld-cli", errno=errno.EHOSTUNREACH, tx=0, rx=0, closed_by="none", may={"retransmission": "certain"},
                         says=[r"10\.8\.0\.254"], never=["RST", "never left"]))}
