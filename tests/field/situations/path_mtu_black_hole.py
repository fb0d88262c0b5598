# SPDX-License-Identifier: Apache-2.0
"""A link of MTU 1200 behind a router, whose ICMP messages are dropped on the way.

Reported: moby 12565, pypi/support 75, bun 27351.
Right: small segments pass, full ones are sent again and again by the timer and never acknowledged.
"""
from field import *
from path_mtu import play_transfer


def play(lab):
    play_transfer(lab, hole=True)


expect = {"a": view(life(f"{B}:7014", ("open", "aborted", "reset-by-local", "reset-by-peer", "completed"), process="fld-cli",
                         findings={"path-mtu-black-hole": "likely", "retransmission": "certain"}))}
