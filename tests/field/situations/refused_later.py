# SPDX-License-Identifier: Apache-2.0
"""The first SYN is lost, the second one is refused.

Reported: services that restart behind a load balancer; docker port maps that come up late.
Right: refused, a second after the first SYN. That is no slow handshake, as there was none.
"""
from field import *

need("nft")


def client():
    return error_of(connect, B, 7090)


def play(lab):
    lab.routed()
    lab.nft("r", "table ip f { chain f { type filter hook forward priority 0; tcp dport 7090 limit rate 1/hour burst 1 packets drop; }\n}")
    lab.watch("a")
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ECONNREFUSED, "not refused")


expect = {"a": view(life(f"{B}:7090", "refused", process="fld-cli", errno=errno.ECONNREFUSED, closed_by="peer", findings={"retransmission": "certain"},
                         may={"reset-origin": "certain"}, duration_ns=(900_000_000, 1_600_000_000)))}
