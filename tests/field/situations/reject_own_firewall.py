# SPDX-License-Identifier: Apache-2.0
"""The own host's firewall answers the SYN with a RST (nft reject with tcp reset in output).

Reported: ufw and firewalld outgoing rules; "connection refused" that the server never sent.
Right: refused, and the RST comes from this machine, not from its TCP nor from the peer.
"""
from field import *

need("nft")


def client():
    return error_of(connect, B, 7036)


def play(lab):
    lab.pair()
    lab.nft("a", "table ip f { chain o { type filter hook output priority 0; tcp dport 7036 reject with tcp reset; }\n}")
    lab.watch("a")
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ECONNREFUSED, "not refused")


expect = {"a": view(life(f"{B}:7036", ("refused", "connect-unsent"), process="fld-cli", errno=errno.ECONNREFUSED, findings={"tx-not-sent": "certain"},
                         may={"reset-origin": "certain"}, never=["peer .or something|the peer answered|closed by the peer"]))}
