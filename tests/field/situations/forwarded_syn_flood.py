# SPDX-License-Identifier: Apache-2.0
"""A SYN flood passes a router on its way to a server, and a port scan; a real client comes meanwhile.

Reported: gateways whose connection table a flood fills (nf_conntrack: table full); one line for each of its SYNs helps nobody.
Right: the flood is one finding with its numbers, the refused ones of the scan are one, too; the lives of both are bounded and counted. The real
client's connection is a life.
"""
from field import *
import forge

need("nginx", "curl")


def outsider(port):
    for n in range(600):
        forge.send(forge.segment((f"10.8.0.{50 + n % 100}", 20000 + n), (B, port(n)), 7 * n, 0, forge.SYN), B)


def play(lab):
    lab.routed()
    nginx(lab, "b", 8080, "server { listen 8080; location / { return 200 'hello'; } }")
    for n in range(50, 150):
        lab.ip("r", f"neigh add 10.8.0.{n} lladdr 02:00:00:00:00:01 dev to-a nud permanent")
    lab.watch("r", "--forwarded")
    lab.actor("a", "fld-evil", outsider, lambda n: 8080).result()
    lab.actor("a", "fld-evil", outsider, lambda n: 1 + n).result()
    lab.must(curl(lab, "a", f"http://{B}:8080/") == (0, "hello"), "no answer")


expect = {"r": view(life(f"{B}:8080", "completed", local="10.8.0.1", forwarded__joined=True, rx=lambda n: n > 5),
                    findings={"syn-flood": "likely", "reset-origin": "likely"}, may={"retransmission": "likely", "reset-origin": "likely"},
                    others=("open", "unknown", "refused"))}
