# SPDX-License-Identifier: Apache-2.0
"""The route to an IPv6 peer is gone for a second while a connection is open (a router advertisement that expired), and comes back.

Reported: "IPv6 hangs for some seconds", accept_ra and bridges.
Right: as in own_route_flap, although IPv6 gives its drop no reason.
"""
from field import *
from flap import own_side, play_flap


def play(lab):
    play_flap(lab, 7504, "a", f"route add unreachable {B6}/128 metric 1", f"route del unreachable {B6}/128 metric 1", host=B6)


expect = own_side(f"[{B6}]:7504")
