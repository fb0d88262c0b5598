# SPDX-License-Identifier: Apache-2.0
"""A prohibit route to the peer appears for a second while a connection over IPv6 is open, and goes.

Reported: scion 3846 (EACCES by a prohibit route).
Right: what TCP sent meanwhile had no route and never left; the connection lives on.
"""
from field import *
from flap import own_side, play_flap


def play(lab):
    play_flap(lab, 7601, "a", "-6 route add prohibit fd09::2", "-6 route del prohibit fd09::2", host=B6)


expect = own_side(f"[{B6}]:7601")
