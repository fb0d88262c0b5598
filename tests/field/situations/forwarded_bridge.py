# SPDX-License-Identifier: Apache-2.0
"""A host with a bridge, traced with --forwarded: two containers on it talk, and one of them with the host.

Right: what passes the bridge is one life of two hops (port in, port out) with each byte counted once; the host's own connection is the host's, although
its segments are seen on the port and on the bridge.
"""
from field import *

need("nginx", "curl")


def play(lab):
    lab.netns("h", "a", "b")
    lab.link("a", "10.9.0.1/24", "h", [])
    lab.link("b", "10.9.0.2/24", "h", [])
    lab.bridge("h", "to-a", "to-b")
    lab.ip("h", "addr add 10.9.0.100/24 dev br0")
    lab.file("file", "x" * 200_000)
    for place, folder in (("h", "host"), ("b", "other")):
        nginx(lab, place, 8080, f"server {{ listen 8080; location / {{ root {lab.folder}; }} }}", folder=folder)
    lab.watch("h", "--forwarded")
    lab.must(curl(lab, "a", "-o", "/dev/null", "http://10.9.0.100:8080/file")[0] == 0, "no answer")
    lab.must(curl(lab, "a", "-o", "/dev/null", f"http://{B}:8080/file")[0] == 0, "no answer")


def ports(found):
    return [hop["interface"] for hop in found] == ["to-a", "to-b"]


expect = {"h": view(
    life(A, "completed", local=":8080", process="nginx", role="passive", wire__tx_bytes=(200_000, 201_000), retransmits=0, forwarded=None),
    life(f"{B}:8080", "completed", local=A, forwarded__joined=True, forwarded__hops=ports, rx=(200_000, 201_000), retransmits=0, retransmits_in=0,
         forwarded__lost_to_server=0, forwarded__lost_to_client=0))}
