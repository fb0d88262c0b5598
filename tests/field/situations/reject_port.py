# SPDX-License-Identifier: Apache-2.0
"""A router on the way answers the SYN with an ICMP message: port-unreachable (a firewall rejects it so).

Reported: iptables' and nft's default REJECT.
Right: connect() fails with ECONNREFUSED, by the router's message; the server never saw the SYN, and sent nothing.
"""
from field import *
from reject import client

need("nft")


def play(lab):
    lab.routed()
    lab.nft("r", "table ip f { chain f { type filter hook forward priority 0; tcp dport 7035 reject with icmp port-unreachable; }\n}")
    lab.watch("a")
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ECONNREFUSED, "not ECONNREFUSED")


expect = {"a": view(life(f"{B}:7035", "refused", process="fld-cli", errno=errno.ECONNREFUSED, tx=0, rx=0, closed_by="none", may={"reset-origin": "certain"},
                         says=[r"10\.8\.0\.254"], never=["RST"]))}
