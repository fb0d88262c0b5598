# SPDX-License-Identifier: Apache-2.0
"""A firewall refuses an IPv6 connection with an ICMPv6 message: administratively prohibited.

Reported: happy eyeballs behind strict firewalls; ip6tables' REJECT.
Right: connect() fails with EACCES, by that message.
"""
from field import *

need("nft")


def client():
    return error_of(connect, B6, 7088)


def play(lab):
    lab.pair()
    lab.nft("b", "table ip6 f { chain i { type filter hook input priority 0; tcp dport 7088 reject with icmpv6 admin-prohibited; }\n}")
    lab.watch("a")
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.EACCES, "not EACCES")


expect = {"a": view(life(f"[{B6}]:7088", "unreachable", process="fld-cli", errno=errno.EACCES, tx=0, rx=0, closed_by="none", may={"retransmission": "certain"}, says=[r"ICMPv6 type 1, code 1\), sent by the destination itself"], never=["RST"]))}
