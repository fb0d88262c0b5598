# SPDX-License-Identifier: Apache-2.0
"""A gateway that masquerades and publishes a port, traced without --forwarded: what comes back for others has the gateway's own address.

Reported: conntrack-tools and tcpdump users who see half of each connection on a gateway.
Right: nothing of it, in the timeline neither; the gateway's own connections, and what really finds no socket, are shown.
"""
from field import *

need("nginx", "curl", "nft")


def client():
    return error_of(connect, "10.8.0.254", 7068)


def play(lab):
    lab.routed()
    lab.nft("r", """table ip n {
        chain in { type nat hook prerouting priority -100; ip daddr 10.8.0.254 tcp dport 80 dnat to 10.9.0.2:8080; }
        chain out { type nat hook postrouting priority 100; oifname "to-b" tcp dport 8080 masquerade; }
    }""")
    nginx(lab, "b", 8080, "server { listen 8080; location / { return 200 'hello'; } }")
    nginx(lab, "r", 8081, "server { listen 8081; location / { return 200 'gateway'; } }", folder="own")
    lab.watch("r")
    lab.watch("r", "--kernel", "off", name="wire")
    for url, answer in ((f"http://{B}:8080/", "hello"), ("http://10.8.0.254/", "hello"), ("http://10.8.0.254:8081/", "gateway")):
        lab.must(curl(lab, "a", url) == (0, answer), f"no answer of {url}")
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ECONNREFUSED, "it was not refused")


none = tuple({"type": "segment", f"{end}.port": port} for end in ("local", "remote") for port in (80, 8080))
expect = {
    "r": view(life("10.8.0.1", "completed", local=":8081", process="nginx"), findings={"stray-segment": "certain"},
              events=({"type": "segment", "local.port": 7068, "flags": "SYN"},), no_events=none),
    "wire": view(life("10.8.0.1", "completed", local=":8081"), life("10.8.0.1", "refused", local=":7068", closed_by="local"), no_events=none)}
