# SPDX-License-Identifier: Apache-2.0
"""Two routers between client and server: requests pass the one, answers the other. Then the first one's firewall tracks connections.

Reported: asymmetric routing through a stateful firewall ("connection reset", "drop invalid"): pfSense, OPNsense and Linux gateways with two uplinks.
Right: at the first router only the client's segments pass (asymmetric-route, at most likely) and the connection is whole all the same. With
"ct state invalid drop" what follows the SYN never leaves it: dropped by a firewall rule.
"""
from field import *

need("nginx", "curl", "nft", "conntrack")


def play(lab):
    lab.netns("a", "r", "s", "b")
    lab.link("a", "10.8.0.1/24", "r", "10.8.0.254/24")
    lab.link("b", "10.9.0.2/24", "r", "10.9.0.254/24")
    lab.link("a", "10.18.0.1/24", "s", "10.18.0.254/24")
    lab.link("b", "10.19.0.2/24", "s", "10.19.0.254/24")
    for place in ("r", "s"):
        lab.sysctl(place, "net.ipv4.ip_forward", 1)
    for place in ("a", "r", "s", "b"):
        lab.sysctl(place, "net.ipv4.conf.all.rp_filter", 0)
    lab.ip("a", "route add 10.9.0.2 via 10.8.0.254")
    lab.ip("b", "route add 10.8.0.1 via 10.19.0.254")
    lab.ip("s", "route add 10.8.0.1 via 10.18.0.1")
    lab.ip("r", "route add 10.18.0.0/24 via 10.8.0.1")
    nginx(lab, "b", 8080, "server { listen 8080; listen 8081; location / { return 200 'hello'; } }")
    lab.watch("r", "--forwarded")
    lab.watch("s", "--forwarded")
    lab.must(curl(lab, "a", "--interface", "10.8.0.1", f"http://{B}:8080/") == (0, "hello"), "no answer")
    lab.nft("r", "table ip f { chain c { type filter hook forward priority 0; tcp dport 8081 ct state invalid drop; }; }")
    code, _ = curl(lab, "a", "--interface", "10.8.0.1", "-m", "2", f"http://{B}:8081/")
    lab.must(code == 28, f"curl ended with {code}")


expect = {
    "r": view(life(f"{B}:8080", findings={"asymmetric-route": "likely"}, forwarded__joined=True, rx=0, forwarded__lost_to_server=0),
              life(f"{B}:8081", findings={"forward-dropped": "certain"}, may={"asymmetric-route": "likely", "retransmission": "likely"}, says=["firewall"])),
    "s": view(life(f"{B}:8080", findings={"asymmetric-route": "likely"}, tx=0),
              life(f"{B}:8081", may={"asymmetric-route": "likely", "retransmission": "likely"}))}
