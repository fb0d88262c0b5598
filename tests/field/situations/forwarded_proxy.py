# SPDX-License-Identifier: Apache-2.0
"""Near misses on a router with --forwarded: a proxy of its own that REDIRECT leads to, and a hairpin of a published port.

Right: the proxy has two connections, each with its socket, and none is forwarded. The hairpin comes in and leaves on one interface: one forwarded life.
"""
from field import *

need("nginx", "curl", "nft")


def play(lab):
    lab.routed()
    lab.nft("r", """table ip n {
        chain in { type nat hook prerouting priority -100;
            ip daddr 10.9.0.2 tcp dport 80 redirect to :8080
            ip daddr 10.8.0.254 tcp dport 81 dnat to 10.9.0.2:8081
        }
        chain out { type nat hook postrouting priority 100; iifname "to-b" oifname "to-b" masquerade; }
    }""")
    for port in (80, 8081):
        nginx(lab, "b", port, f"server {{ listen {port}; location / {{ return 200 'hello'; }} }}", folder=f"b{port}")
    nginx(lab, "r", 8080, "server { listen 8080; location / { proxy_pass http://10.9.0.2:80; } }", folder="proxy")
    lab.watch("r", "--forwarded")
    lab.must(curl(lab, "a", f"http://{B}/") == (0, "hello"), "no answer through the proxy")
    lab.must(curl(lab, "b", "http://10.8.0.254:81/") == (0, "hello"), "no answer of the hairpin")


expect = {"r": view(
    life("10.8.0.1", "completed", local=":8080", process="nginx", role="passive", forwarded=None),
    life(f"{B}:80", "completed", local="10.9.0.254", process="nginx", role="active", forwarded=None),
    life("10.8.0.254:81", "completed", local=B, forwarded__joined=True, nat__local__ip="10.9.0.254", nat__remote__port=8081,
         forwarded__hops=lambda found: [hop["interface"] for hop in found] == ["to-b", "to-b"]))}
