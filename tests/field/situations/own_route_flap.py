# SPDX-License-Identifier: Apache-2.0
"""The route to the peer is deleted for a second while a connection is open (a routing daemon that restarts), and comes back.

Reported: FRR, bird, a VPN client that sets its routes anew.
Right: what TCP sent meanwhile had no route and never left; the connection lives on.
"""
from field import *
from flap import own_side, play_flap


def play(lab):
    play_flap(lab, 7502, "a", "route del 10.9.0.0/24 dev to-b", "route add 10.9.0.0/24 dev to-b src 10.9.0.1")


expect = own_side(f"{B}:7502")
