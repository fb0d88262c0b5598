# SPDX-License-Identifier: Apache-2.0
"""This machine's own interface goes down for a second while a connection is open, and comes back.

Reported: NetworkManager and systemd-networkd that set a link anew; live migration.
Right: what TCP sent meanwhile had no route and never left; the connection lives on. The peer and the path are not to blame.
"""
from field import *
from flap import own_side, play_flap


def play(lab):
    play_flap(lab, 7501, "a", "link set to-b down", "link set to-b up")


expect = own_side(f"{B}:7501")
