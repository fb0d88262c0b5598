# SPDX-License-Identifier: Apache-2.0
"""A published port has a proxy in user space beside NAT: others come in by NAT, the host itself by the proxy.

Reported: moby 27539, 47537 (docker-proxy); one request is one connection from outside, and three sockets from the host.
Right: without --forwarded only the host's own sockets are there, the proxy's with its name. With it, the connection from outside is one more life,
with its SYN: the listener on the same port never had it.
"""
from field import *

need("nginx", "curl", "nft", "socat")


def play(lab):
    lab.routed()
    lab.nft("r", """table ip n { chain in { type nat hook prerouting priority -100; ip daddr 10.8.0.254 tcp dport 80 dnat to 10.9.0.2:8080; }\n}""")
    nginx(lab, "b", 8080, "server { listen 8080; location / { return 200 'hello'; } }")
    lab.program("r", "socat", "TCP-LISTEN:80,fork,reuseaddr", "TCP:10.9.0.2:8080", port=80)
    lab.watch("r")
    lab.watch("r", "--forwarded", name="forwarded")
    lab.must(curl(lab, "a", "http://10.8.0.254/") == (0, "hello"), "no answer from outside")
    lab.must(curl(lab, "r", "http://127.0.0.1/") == (0, "hello"), "no answer of the proxy")


own = [life("127.0.0.1:80", "completed", process="curl", role="active", rx=lambda n: n > 5, forwarded=None),
       life("127.0.0.1", "completed", local=":80", process="socat", role="passive", tx=lambda n: n > 5, forwarded=None),
       life(f"{B}:8080", "completed", local="10.9.0.254", process="socat", role="active", rx=lambda n: n > 5, forwarded=None)]
passed = life("10.8.0.254:80", "completed", local="10.8.0.1", forwarded__joined=True, nat__remote__port=8080, wire__complete=True,
              forwarded__hops=lambda found: found[0]["in"]["syn"] == 1 and found[0].get("mss_in") == 1460 and found[0]["in"]["segments"] >= 5)
expect = {"r": view(*own), "forwarded": view(*own, passed, no_events=[{"type": "segment", "conn": None}])}
