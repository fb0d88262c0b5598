# SPDX-License-Identifier: Apache-2.0
"""Three tracers watch one translated connection: one asks for the service's port, one for the server's, one for another port.

Reported: kube-proxy hosts, where --port of either side found half.
Right: a filter matches either form; the whole connection is reported, or nothing of it.
"""
from field import *

need("nginx", "curl", "nft")


def play(lab):
    lab.pair()
    lab.ip("a", f"route add default via {B}")
    lab.nft("a", f"table ip n {{ chain o {{ type nat hook output priority -100; ip daddr 10.96.0.1 tcp dport 80 dnat to {B}:8080; }}\n}}")
    nginx(lab, "b", 8080, "server { listen 8080; location / { return 200 'hello'; } }")
    lab.watch("a", "--port", 80, name="service")
    lab.watch("a", "--port", 8080, name="server")
    lab.watch("a", "--host", B, name="host")
    lab.watch("a", "--port", 81, name="none")
    lab.must(curl(lab, "a", "http://10.96.0.1/") == (0, "hello"), "no answer")


one = life("10.96.0.1:80", "completed", process="curl", witnesses=["kernel", "wire"], wire__complete=True, nat__remote__port=8080)
expect = {"service": view(one), "server": view(one), "host": view(one), "none": view()}
