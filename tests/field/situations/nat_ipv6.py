# SPDX-License-Identifier: Apache-2.0
"""A service address is translated in IPv6.

Reported: kubernetes dual-stack services; datadog-agent 9852 for IPv4.
Right: as for IPv4: one connection with both addresses.
"""
from field import *

need("nginx", "curl", "nft")


def play(lab):
    lab.pair()
    lab.ip("a", f"-6 route add default via {B6}")
    lab.nft("a", f"table ip6 n {{ chain o {{ type nat hook output priority -100; ip6 daddr fd96::1 tcp dport 80 dnat to [{B6}]:8080; }}\n}}")
    nginx(lab, "b", 8080, "server { listen [::]:8080; location / { return 200 'hello'; } }")
    lab.watch("a")
    lab.must(curl(lab, "a", "http://[fd96::1]/") == (0, "hello"), "no answer")


expect = {"a": view(life("[fd96::1]:80", "completed", process="curl", witnesses=["kernel", "wire"], nat__remote__ip=B6, nat__remote__port=8080),
                    never=["no matching socket", "kernel only"])}
