# SPDX-License-Identifier: Apache-2.0
"""A router between curl and nginx, traced with --forwarded and without.

Right: with the option one life of two hops for each connection, from the packets alone: both directions counted on both hops, the same on both, no
process. Without it nothing; and a connection to the router itself is the router's own in both.
"""
from field import *

need("nginx", "curl")


def play(lab):
    lab.routed()
    lab.file("file", "x" * 200_000)
    nginx(lab, "b", 8080, f"server {{ listen 8080; location / {{ root {lab.folder}; }} }}")
    nginx(lab, "r", 8081, "server { listen 8081; location / { return 200 'router'; } }", folder="own")
    lab.watch("r", "--forwarded")
    lab.watch("r", name="quiet")
    for _ in range(2):
        lab.must(curl(lab, "a", "-o", "/dev/null", f"http://{B}:8080/file")[0] == 0, "no answer")
    lab.must(curl(lab, "a", "http://10.8.0.254:8081/") == (0, "router"), "no answer of the router")


def hops(found):
    (client, server) = found
    same = client["in"]["segments"] == server["out"]["segments"] and client["out"]["segments"] == server["in"]["segments"]
    flags = client["in"]["syn"] == client["out"]["syn_ack"] == server["out"]["fin"] == server["in"]["fin"] == 1
    return same and flags and (client["side"], client["interface"], server["interface"]) == ("client", "to-a", "to-b")


own = life("10.8.0.1", "completed", local=":8081", process="nginx", role="passive", forwarded=None)
expect = {
    "r": view(life(f"{B}:8080", "completed", local="10.8.0.1", role="active", closed_by="local", count=2, rx=(200_000, 201_000), pid=None, witnesses=["wire"],
                   forwarded__joined=True, forwarded__lost_to_server=0, forwarded__lost_to_client=0, forwarded__hops=hops, wire__complete=True, nat=None), own),
    "quiet": view(own),
}
