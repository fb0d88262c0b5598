# SPDX-License-Identifier: Apache-2.0
"""A host with a bridge whose firewall drops in the bridge's forward chain, traced with --forwarded.

Reported: kube-proxy's and libvirt's bridges with physdev rules; "the SYN enters the port and leaves by none".
Right: the segments came in by a port and never left, dropped by a firewall rule: the kernel's own reason.
"""
from field import *

need("nft")


def client():
    return error_of(connect, B, 7335, None, 2.5)


def play(lab):
    lab.netns("h", "a", "b")
    lab.link("a", "10.9.0.1/24", "h", [])
    lab.link("b", "10.9.0.2/24", "h", [])
    lab.ip("h", "link add br0 type bridge")
    for port in ("to-a", "to-b"):
        lab.ip("h", f"link set {port} master br0")
    lab.ip("h", "link set br0 up")
    lab.nft("h", "table bridge f { chain c { type filter hook forward priority 0; tcp dport 7335 drop; }\n}")
    lab.watch("h", "--forwarded")
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ETIMEDOUT, "an answer came")


expect = {"h": view(life(f"{B}:7335", "open", findings={"forward-dropped": "certain"}, may={"retransmission": "likely"}, forwarded__lost_to_server=lambda n: n >= 2,
                         says=["firewall"]))}
