# SPDX-License-Identifier: Apache-2.0
"""A host connects to its own published port: translated to another namespace, source and destination (docker -p without the proxy).

Reported: moby 14856, kubernetes 20475 (hairpin).
Right: one connection at the host, translated at both ends. It completes.
"""
from field import *

need("nginx", "curl", "nft")


def play(lab):
    lab.pair()
    lab.nft("a", "table ip n {\n chain o { type nat hook output priority -100; ip daddr 10.8.8.8 tcp dport 8080 dnat to 10.9.0.2:80; }\n"
                 " chain p { type nat hook postrouting priority 100; ip daddr 10.9.0.2 masquerade; }\n}")
    lab.ip("a", "addr add 10.8.8.8/32 dev lo")
    nginx(lab, "b", 80, "server { listen 80; location / { return 200 'hello'; } }")
    lab.watch("a")
    lab.must(curl(lab, "a", "http://10.8.8.8:8080/") == (0, "hello"), "no answer")


expect = {"a": view(life("10.8.8.8:8080", "completed", process="curl", witnesses=["kernel", "wire"], nat__remote__ip=B, nat__remote__port=80, nat__local__ip=A),
                    never=["no matching socket", "kernel only"])}
