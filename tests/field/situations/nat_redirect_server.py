# SPDX-License-Identifier: Apache-2.0
"""curl asks nginx on port 80; the server's host sends that to port 8080 (REDIRECT in prerouting).

Reported: sniproxy 4, netty 10419, istio 38982; every server behind a REDIRECT rule.
Right: at the server one connection, whose socket has port 8080 and whose segments have port 80. The client's end knows nothing of it.
"""
from field import *

need("nginx", "curl", "nft")


def play(lab):
    lab.pair()
    lab.nft("b", "table ip n { chain p { type nat hook prerouting priority -100; tcp dport 80 redirect to :8080; }\n}")
    nginx(lab, "b", 8080, "server { listen 8080; location / { return 200 'hello'; } }")
    lab.watch("a")
    lab.watch("b")
    for _ in range(3):
        lab.must(curl(lab, "a", f"http://{B}/") == (0, "hello"), "no answer")


expect = {
    "a": view(life(f"{B}:80", "completed", process="curl", role="active", rx=lambda n: n > 100, witnesses=["kernel", "wire"], nat=None, count=3)),
    "b": view(life(local=":8080", outcome="completed", process="nginx", role="passive", tx=lambda n: n > 100, witnesses=["kernel", "wire"],
                   wire__complete=True, nat__local__port=80, count=3), never=["no matching socket", "kernel only"]),
}
