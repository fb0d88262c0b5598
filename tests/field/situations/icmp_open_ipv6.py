# SPDX-License-Identifier: Apache-2.0
"""An IPv6 connection is open; then the server's firewall refuses its segments with ICMPv6 messages, until the kernel gives up.

Reported: ip6tables' default REJECT (port unreachable), switched on while connections are open.
Right: the error is that of the message, and its sender is named.
"""
from field import *
from refused_open import play_refused


def play(lab):
    lab.pair()
    play_refused(lab, B6, 7096, "b",
                 "table ip6 f { chain i { type filter hook input priority 0; tcp dport 7096 reject with icmpv6 port-unreachable; }\n}", [errno.ECONNREFUSED])


expect = {"a": view(life(f"[{B6}]:7096", ("user-timeout", "retransmit-timeout"), process="fld-cli", errno=errno.ECONNREFUSED,
                         findings={"retransmission": "certain"}, says=[rf"ICMPv6 .*sent by {B6}|ICMPv6.*the destination itself"], never=["RST"]))}
