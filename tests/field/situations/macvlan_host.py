# SPDX-License-Identifier: Apache-2.0
"""A host whose connection goes by a macvlan device: the segments cross that device and the cable below it.

Reported: docker's macvlan networks: each packet is seen on two devices.
Right: as over_device.py says.
"""
from over_device import *


def words(peer, own, other):
    return f"link to-{peer} type macvlan mode bridge"


def play(lab):
    play_over(lab, words, "10.78.0", 7309)


expect = expected("10.78.0", 7309)
