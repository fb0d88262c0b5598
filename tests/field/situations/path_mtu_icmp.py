# SPDX-License-Identifier: Apache-2.0
"""A link of MTU 1200 behind a router, whose ICMP messages arrive.

Reported: moby 12565, pypi/support 75, bun 27351.
Right: the first full segments are too large for the link; the router says so (ICMP fragmentation needed), and the sender sends the same bytes again at
once in smaller segments. No timer did that, and no duplicate ACK.
"""
from field import *
from path_mtu import play_transfer


def play(lab):
    play_transfer(lab, hole=False)


expect = {"a": view(life(f"{B}:7014", "completed", process="fld-cli", tx=20000, rx=0, findings={"retransmission": "certain"}, never=["last timeout", "RTO"]))}
