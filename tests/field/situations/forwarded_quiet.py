# SPDX-License-Identifier: Apache-2.0
"""A router masquerades connections of others, while a program of its own listens on the same port.

Reported: docker-proxy's shape (moby 18630); a listener on 0.0.0.0 is taken for the receiver of what is only forwarded.
Right: at the router no connection at all: none of them is its own.
"""
from field import *

need("nginx", "curl", "nft")


def listener():
    listen(8080).accept()


def play(lab):
    lab.routed()
    lab.nft("r", "table ip n { chain p { type nat hook postrouting priority 100; oifname \"to-b\" masquerade; }\n}")
    nginx(lab, "b", 8080, "server { listen 8080; location / { return 200 'hello'; } }")
    own = lab.server("r", "fld-own", listener, 8080)
    lab.watch("r")
    lab.watch("b")
    for _ in range(3):
        lab.must(curl(lab, "a", f"http://{B}:8080/") == (0, "hello"), "no answer")
    own.end()


expect = {
    "r": view(),
    "b": view(life("10.9.0.254", "completed", local=":8080", process="nginx", count=3)),
}
