# SPDX-License-Identifier: Apache-2.0
"""A router on the way answers the SYN with an ICMP message: admin-prohibited (a firewall forbids it).

Reported: libcoap 861, elks 1217.
Right: connect() fails with EHOSTUNREACH, by the router's message; the server never saw the SYN, and sent nothing.
"""
from field import *
from reject import client

need("nft")


def play(lab):
    lab.routed()
    lab.nft("r", "table ip f { chain f { type filter hook forward priority 0; tcp dport 7035 reject with icmp admin-prohibited; }\n}")
    lab.watch("a")
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.EHOSTUNREACH, "not EHOSTUNREACH")


expect = {"a": view(life(f"{B}:7035", "unreachable", process="fld-cli", errno=errno.EHOSTUNREACH, tx=0, rx=0, closed_by="none", may={"reset-origin": "certain"},
                         says=[r"10\.8\.0\.254"], never=["RST"]))}
