# SPDX-License-Identifier: Apache-2.0
"""A process' own source address and port are translated on the way out (masquerade to a fixed port range).

Reported: weave 3173 and every host with a masquerade rule for its containers and itself.
Right: one connection, with its socket's address and the one on the wire.
"""
from field import *

need("nginx", "curl", "nft")


def play(lab):
    lab.pair()
    lab.nft("a", "table ip n { chain p { type nat hook postrouting priority 100; tcp dport 8080 masquerade to :61000-61099 random; }\n}")
    nginx(lab, "b", 8080, "server { listen 8080; location / { return 200 'hello'; } }")
    lab.watch("a")
    lab.watch("b")
    lab.must(curl(lab, "a", "--local-port", "42000", f"http://{B}:8080/") == (0, "hello"), "no answer")


expect = {
    "a": view(life(f"{B}:8080", "completed", local=":42000", process="curl", role="active", witnesses=["kernel", "wire"], wire__complete=True,
                   nat__local__port=(61000, 61099)), never=["no matching socket", "kernel only"]),
    "b": view(life(local=":8080", outcome="completed", process="nginx", remote__port=(61000, 61099), nat=None)),
}
