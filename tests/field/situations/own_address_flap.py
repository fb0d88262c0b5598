# SPDX-License-Identifier: Apache-2.0
"""The own address is taken away for a second while a connection is open (DHCP that renews), and comes back.

Reported: dhclient and systemd-networkd: "connections hang for some seconds at each renewal".
Right: what TCP sent meanwhile had no route from that address and never left; the connection lives on.
"""
from field import *
from flap import own_side, play_flap


def play(lab):
    play_flap(lab, 7503, "a", "addr del 10.9.0.1/24 dev to-b", "addr add 10.9.0.1/24 dev to-b")


expect = own_side(f"{B}:7503")
