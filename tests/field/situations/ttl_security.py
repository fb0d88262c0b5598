# SPDX-License-Identifier: Apache-2.0
"""The server demands a hop limit of 255 (IP_MINTTL), and the client's segments have 64.

Reported: BGP with "ttl-security" on one side only.
Right: the client's connect times out; at the server the SYNs were dropped, and the kernel's reason says why.
"""
from field import *
from dropped_syn import dropped, play_dropped

IP_MINTTL = 21


def play(lab):
    lab.pair()
    play_dropped(lab, 7205, (socket.IPPROTO_IP, IP_MINTTL, 255))


expect = dropped(7205, "IP_MINTTL")
