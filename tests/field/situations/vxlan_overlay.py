# SPDX-License-Identifier: Apache-2.0
"""A connection through a VXLAN tunnel, as between two nodes of a cluster: its segments cross the tunnel's device, and inside UDP the cable.

Reported: flannel, calico, docker overlays: packets counted twice, or not at all.
Right: as over_device.py says.
"""
from over_device import *


def words(peer, own, other):
    return f"type vxlan id 7 local {own} remote {other} dstport 4789"


def play(lab):
    play_over(lab, words, "10.77.0", 7308)


expect = expected("10.77.0", 7308)
