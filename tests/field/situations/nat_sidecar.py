# SPDX-License-Identifier: Apache-2.0
"""curl's connection is taken by a proxy on its own host (REDIRECT in output, as service meshes do), which opens another one to the server.

Reported: istio 38982, redsocks 65, envoy 23414.
Right: three connections: curl's (to the address that it named; translated to 127.0.0.1:15001), the proxy's end of it, and the proxy's own to the server.
"""
from field import *

need("nginx", "curl", "nft")


def play(lab):
    lab.pair()
    nginx(lab, "b", 8080, "server { listen 8080; location / { return 200 'hello'; } }")
    nginx(lab, "a", 15001, f"server {{ listen 15001; location / {{ proxy_pass http://{B}:8080; }} }}", folder="sidecar")
    lab.ip("a", f"route add default via {B}")
    lab.nft("a", "table ip n { chain o { type nat hook output priority -100; tcp dport 80 redirect to :15001; }\n}")
    lab.watch("a")
    lab.must(curl(lab, "a", "http://10.96.0.5/") == (0, "hello"), "no answer")


expect = {"a": view(
    life("10.96.0.5:80", "completed", process="curl", role="active", witnesses=["kernel", "wire"], nat__remote__ip="127.0.0.1", nat__remote__port=15001),
    life(local=":15001", outcome="completed", process="nginx", role="passive", witnesses=["kernel", "wire"]),
    life(f"{B}:8080", "completed", process="nginx", role="active", nat=None),
    never=["no matching socket", "kernel only"])}
