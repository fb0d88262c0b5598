# SPDX-License-Identifier: Apache-2.0
"""A firewall on the way drops every SYN that asks for ECN; the second SYN does not ask any more (tcp_ecn_fallback).

Reported: systemd 9748 (net.ipv4.tcp_ecn 1: "my network downloads fail or become very slow").
Right: completed, a second late: the SYN was sent again and that one was answered at once. The firewall's host drops one segment.
"""
from field import *

need("nginx", "curl", "nft")


def play(lab):
    lab.routed()
    lab.sysctl("a", "net.ipv4.tcp_ecn", 1)
    lab.nft("r", """table ip f { chain c { type filter hook forward priority 0; tcp flags & (syn | ecn | cwr) == syn | ecn | cwr drop; }\n}""")
    nginx(lab, "b", 8080, "server { listen 8080; location / { return 200 'hello'; } }")
    lab.watch("a")
    lab.watch("r", "--forwarded")
    lab.watch("b")
    lab.must(curl(lab, "a", f"http://{B}:8080/") == (0, "hello"), "no answer")


expect = {
    "a": view(life(f"{B}:8080", "completed", process="curl", retransmits=(1, 3), findings={"retransmission": "certain"}, may={"slow-handshake": "certain"}, never=["after our first SYN; the peer"])),
    "r": view(life(f"{B}:8080", "completed", forwarded__joined=True, findings={"forward-dropped": "certain", "retransmission": "likely"}, may={"slow-handshake": "likely"},
                   forwarded__lost_to_server=(1, 3), retransmits=(1, 3))),
    "b": view(life(local=":8080", outcome="completed", process="nginx")),
}
