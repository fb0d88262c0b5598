# SPDX-License-Identifier: Apache-2.0
"""A router answers for an address that is not its own: DNAT of 203.0.113.5:80 to its own port 8080.

Reported: captive portals, port forwards of a virtual address to the firewall itself.
Right: one connection at the router, whole: its SYN was addressed to somebody else, and belongs to it all the same.
"""
from field import *

need("nft", "curl", "nginx")


def play(lab):
    lab.routed()
    lab.nft("r", "table ip n { chain p { type nat hook prerouting priority -100; ip daddr 203.0.113.5 tcp dport 80 dnat to 10.8.0.254:8080; }\n}")
    lab.ip("r", "route add 203.0.113.0/24 via 10.9.0.2")
    nginx(lab, "r", 8080, "server { listen 8080; location / { return 200 'portal'; } }")
    lab.watch("r")
    for _ in range(2):
        lab.must(curl(lab, "a", "http://203.0.113.5/") == (0, "portal"), "the router did not answer")


expect = {"r": view(life("10.8.0.1", "completed", local="10.8.0.254:8080", process="nginx", role="passive", witnesses=["kernel", "wire"], wire__complete=True,
                         nat__local__ip="203.0.113.5", nat__local__port=80, count=2), never=["no matching socket"])}
