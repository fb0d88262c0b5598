# SPDX-License-Identifier: Apache-2.0
"""A host that shapes by ifbs what it receives and what it sends: each segment is redirected to it and comes back.

Reported: bandwidth plugins of container networks, sqm: the egress of an ifb is what somebody else sent.
Right: the host's own connections, once each, with no segment sent again; a port that refuses. The ifb is not traced.
"""
from field import *

need("nginx", "curl")


def shape(lab, way, device):
    lab.ip("b", f"link add {device} type ifb")
    lab.ip("b", f"link set {device} up")
    lab.shell("b", f"tc filter add dev to-a {way} protocol all u32 match u32 0 0 action mirred egress redirect dev {device}")
    lab.shell("b", f"tc qdisc add dev {device} root tbf rate 50mbit burst 50k latency 100ms")


def play(lab):
    lab.pair()
    lab.shell("b", "tc qdisc add dev to-a clsact")
    shape(lab, "ingress", "ifb7")
    shape(lab, "egress", "ifb8")
    lab.file("file", "x" * 200_000)
    nginx(lab, "b", 8080, f"server {{ listen 8080; location / {{ root {lab.folder}; }} }}")
    lab.watch("b")
    lab.must(curl(lab, "a", "-o", "/dev/null", f"http://{B}:8080/file")[0] == 0, "no answer")
    curl(lab, "a", f"http://{B}:8081/")


expect = {"b": view(
    life(A, "completed", local=":8080", process="nginx", role="passive", wire__tx_bytes=(200_000, 201_000), retransmits=0),
    findings={"stray-segment": "certain"})}
