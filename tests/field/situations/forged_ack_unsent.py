# SPDX-License-Identifier: Apache-2.0
"""Somebody forges an ACK of data that was never sent, and a very old one.

Reported: optimistic ACKs, blind attacks (RFC 5961, 5).
Right: both are refused, the first by a challenge ACK. The connection completes; nothing was sent again.
"""
from forged import *


def forged(source, target, seq, back):
    for offset in (100_000, -2_000_000_000):
        forge.send(forge.segment(target, source, back, seq + offset, forge.ACK), source[0])
        time.sleep(0.1)


def play(lab):
    play_forged(lab, 7664, forged)


expect = {"a": view(life(f"{B}:7664", "completed", process="fld-cli", closed_by="local", tx=5, rx=10, retransmits=0, may={"out-of-window": "certain", "rx-dropped": "certain"}))}
