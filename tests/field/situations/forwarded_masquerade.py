# SPDX-License-Identifier: Apache-2.0
"""A NAT gateway: addresses of the client are masqueraded, a published port leads to another machine (DNAT), and both at once.

Reported: kubernetes 105328; moby 8795 and every "which client was it" behind a gateway.
Right: each connection is one life with the client's view of it, and what the server sees beside it; --port of either form finds it.
"""
from field import *

need("nginx", "curl", "nft")


def play(lab):
    lab.routed()
    lab.nft("r", """table ip n {
        chain in { type nat hook prerouting priority -100; ip daddr 10.8.0.254 tcp dport 80 dnat to 10.9.0.2:8080; }
        chain out { type nat hook postrouting priority 100; oifname "to-b" tcp dport 8080 masquerade to :50000-50100; }
    }""")
    nginx(lab, "b", 8080, "server { listen 8080; location / { return 200 'hello'; } }")
    lab.watch("r", "--forwarded")
    lab.watch("r", "--forwarded", "--port", "80", name="published")
    lab.watch("r", "--forwarded", "--port", "8080", name="port")
    lab.watch("r", "--forwarded", "--host", "10.9.0.254", name="gateway")
    lab.watch("r", "--forwarded", "--port", "81", name="other")
    lab.must(curl(lab, "a", f"http://{B}:8080/") == (0, "hello"), "no answer")
    lab.must(curl(lab, "a", "http://10.8.0.254/") == (0, "hello"), "no answer")


def masked(found):
    return 50000 <= found <= 50100


def passed(remote):
    return life(remote, "completed", local="10.8.0.1", forwarded__joined=True, nat__local__ip="10.9.0.254", nat__local__port=masked,
                nat__remote__ip=B, nat__remote__port=8080, forwarded__lost_to_server=0, wire__complete=True)


both = view(passed(f"{B}:8080"), passed("10.8.0.254:80"))
expect = {"r": both, "published": view(passed("10.8.0.254:80")), "port": both, "gateway": both, "other": view()}
