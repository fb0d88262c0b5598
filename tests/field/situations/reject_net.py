# SPDX-License-Identifier: Apache-2.0
"""A router on the way answers the SYN with an ICMP message: net-unreachable (it has no route).

Reported: node-v0.x 4553, gvisor 3207.
Right: connect() fails with ENETUNREACH, by the router's message; the server never saw the SYN, and sent nothing.
"""
from field import *
from reject import client

need("nft")


def play(lab):
    lab.routed()
    lab.nft("r", "table ip f { chain f { type filter hook forward priority 0; tcp dport 7035 reject with icmp net-unreachable; }\n}")
    lab.watch("a")
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ENETUNREACH, "not ENETUNREACH")


expect = {"a": view(life(f"{B}:7035", "unreachable", process="fld-cli", errno=errno.ENETUNREACH, tx=0, rx=0, closed_by="none", may={"reset-origin": "certain"},
                         says=[r"10\.8\.0\.254"], never=["RST"]))}
