# SPDX-License-Identifier: Apache-2.0
"""A netdev table (egress) of the client's own interface drops what leaves, behind routing and all tables that people look at.

Reported: policies at a pod's device: "no rule of iptables drops it, and the SYN never leaves".
Right: TCP sent the SYNs, and the kernel dropped them on their way out: no answer can come. Nobody refused anything.
"""
from field import *

need("nft")


def client():
    return error_of(connect, B, 7320, None, 3.5)


def play(lab):
    lab.pair()
    lab.nft("a", "table netdev f { chain e { type filter hook egress device to-b priority 0; tcp dport 7320 drop; }\n}")
    lab.watch("a")
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ETIMEDOUT, "it was answered")


expect = {"a": view(life(f"{B}:7320", ("connect-unsent", "connect-cancelled"), process="fld-cli", findings={"tx-not-sent": "certain", "retransmission": "certain"},
                         says=["none of its . SYNs"], never=["no answer had come"]))}
