# SPDX-License-Identifier: Apache-2.0
"""A router for IPv6, with a firewall that drops one port in its forward chain.

Right: as for IPv4: one life of two hops; what the firewall drops never left.
"""
from field import *

need("nginx", "curl", "nft")


def play(lab):
    lab.netns("a", "r", "b")
    lab.link("a", "fd08::1/64", "r", "fd08::fe/64")
    lab.link("b", "fd09::2/64", "r", "fd09::fe/64")
    lab.ip("a", "-6 route add default via fd08::fe")
    lab.ip("b", "-6 route add default via fd09::fe")
    lab.sysctl("r", "net.ipv6.conf.all.forwarding", 1)
    lab.nft("r", "table ip6 f { chain c { type filter hook forward priority 0; tcp dport 8081 drop; }; }")
    nginx(lab, "b", 8080, "server { listen [::]:8080; location / { return 200 'hello'; } }")
    lab.must(curl(lab, "a", f"http://[{B6}]:8080/")[0] == 0, "no answer")  # the link-local addresses are usable from here on
    lab.watch("r", "--forwarded")
    lab.must(curl(lab, "a", f"http://[{B6}]:8080/") == (0, "hello"), "no answer")
    lab.must(curl(lab, "a", "-m", "1.5", f"http://[{B6}]:8081/")[0] == 28, "an answer came")


expect = {"r": view(
    life(f"[{B6}]:8080", "completed", forwarded__joined=True, forwarded__lost_to_server=0),
    life(f"[{B6}]:8081", "open", findings={"forward-dropped": "certain"}, may={"retransmission": "likely"}))}
