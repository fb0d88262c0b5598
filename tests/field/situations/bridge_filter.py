# SPDX-License-Identifier: Apache-2.0
"""A filter on a bridge between two hosts drops what passes (nft bridge, ebtables): neither host has a rule.

Reported: Proxmox and libvirt firewalls; br_netfilter.
Right: the client sent its SYNs, they left, and no answer came; the client's machine dropped nothing.
"""
from field import *

need("nft")


def client():
    return error_of(connect, B, 7526, None, 2.5)


def play(lab):
    lab.netns("a", "s", "b")
    for place, address in (("a", "10.9.0.1/24"), ("b", "10.9.0.2/24")):
        lab.link(place, address, "s", [])
    lab.bridge("s", "to-a", "to-b")
    lab.nft("s", "table bridge f { chain c { type filter hook forward priority 0; tcp dport 7526 drop; }\n}")
    lab.watch("a")
    lab.watch("b")
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ETIMEDOUT, "an answer came")


expect = {"a": view(life(f"{B}:7526", "connect-cancelled", process="fld-cli", findings={"retransmission": "certain"}, never=["never left", "netfilter"])), "b": view()}
