# SPDX-License-Identifier: Apache-2.0
"""A netdev table (ingress) drops what comes in at the server's interface, before any other table.

Reported: protection against floods at the earliest place: the SYN is in tcpdump, the listener never sees it.
Right: each SYN arrived and was dropped before TCP, by the kernel's own reason.
"""
from dropped_syn import dropped, play_dropped
from field import *

need("nft")


def play(lab):
    lab.pair()
    lab.nft("b", "table netdev f { chain i { type filter hook ingress device to-a priority 0; tcp dport 7321 drop; }\n}")
    play_dropped(lab, 7321)


expect = dropped(7321, "firewall")
