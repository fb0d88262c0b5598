# SPDX-License-Identifier: Apache-2.0
"""A blackhole route to the peer appears for a second while a connection is open (fail2ban, a routing daemon), and goes.

Reported: fail2ban 104 (bans by blackhole routes): connections that are open hang.
Right: what TCP sent meanwhile had no route and never left; the connection lives on.
"""
from field import *
from flap import own_side, play_flap


def play(lab):
    play_flap(lab, 7600, "a", "route add blackhole 10.9.0.2", "route del blackhole 10.9.0.2")


expect = own_side(f"{B}:7600")
