# SPDX-License-Identifier: Apache-2.0
"""curl tries IPv6 first, where nobody answers, and goes on with IPv4 (happy eyeballs).

Reported: curl's, Node's (autoSelectFamily) and browsers' cancelled attempts.
Right: the IPv6 attempt was given up by curl; the IPv4 connection completes.
"""
from field import *

need("nginx", "curl", "nft")


def play(lab):
    lab.pair()
    nginx(lab, "b", 8080, "server { listen 8080; location / { return 200 'hello'; } }")
    lab.nft("b", "table ip6 f { chain i { type filter hook input priority 0; tcp dport 8080 drop; }\n}")
    lab.watch("a")
    lab.must(curl(lab, "a", "--resolve", f"h:8080:[{B6}],{B}", "http://h:8080/") == (0, "hello"), "no answer")


expect = {"a": view(life(f"[{B6}]:8080", "connect-cancelled", process="curl", tx=0, rx=0, may={"retransmission": "certain"}, never=["refused", "ETIMEDOUT"]),
                    life(f"{B}:8080", "completed", process="curl", closed_by="local"))}
