# SPDX-License-Identifier: Apache-2.0
"""A connection through a GRE tunnel, as between two sites: its segments cross the tunnel's device, and inside IP the cable.

Reported: site-to-site tunnels: packets counted twice, or not at all.
Right: as over_device.py says.
"""
from over_device import *


def words(peer, own, other):
    return f"type gre local {own} remote {other}"


def play(lab):
    play_over(lab, words, "10.76.0", 7333)


expect = expected("10.76.0", 7333)
