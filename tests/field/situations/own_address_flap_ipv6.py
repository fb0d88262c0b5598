# SPDX-License-Identifier: Apache-2.0
"""The own IPv6 address is taken away for a second while a connection is open (SLAAC, DHCPv6 that renews), and comes back.

Reported: systemd-networkd and NetworkManager renewals.
Right: what TCP sent meanwhile had no route from that address and never left; the connection lives on.
"""
from field import *
from flap import own_side, play_flap


def play(lab):
    play_flap(lab, 7629, "a", "addr del fd09::1/64 dev to-b", "addr add fd09::1/64 dev to-b nodad", host=B6)


expect = own_side(f"[{B6}]:7629")
