# SPDX-License-Identifier: Apache-2.0
"""A host with a bridge: a container's connection to the host is seen on the bridge port and on the bridge.

Reported: every Docker host; a segment seen on two devices was counted twice, or as a retransmission.
Right: one connection, each byte counted once, nothing sent again. What passes the bridge between two containers is not the host's.
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
    lab.watch("h")
    lab.must(curl(lab, "a", "-o", "/dev/null", "http://10.9.0.100:8080/file")[0] == 0, "no answer")
    lab.must(curl(lab, "a", "-o", "/dev/null", f"http://{B}:8080/file")[0] == 0, "no answer")


expect = {"h": view(life(A, "completed", local=":8080", process="nginx", role="passive", tx=(200_000, 201_000), wire__tx_bytes=(200_000, 201_000), wire__complete=True,
                         retransmits=0))}
