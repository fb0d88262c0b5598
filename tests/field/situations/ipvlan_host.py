# SPDX-License-Identifier: Apache-2.0
"""A host whose connection goes by a ipvlan device (L2): the segments cross that device and the cable below it.

Reported: docker's and cilium's ipvlan networks: each packet is seen on two devices.
Right: as over_device.py says.
"""
from over_device import *


def words(peer, own, other):
    return f"link to-{peer} type ipvlan mode l2"


def play(lab):
    play_over(lab, words, "10.79.0", 7332)


expect = expected("10.79.0", 7332)
