# SPDX-License-Identifier: Apache-2.0
"""Somebody forges RSTs: one far outside the window, one inside it but not at the expected number.

Reported: tricep 97, smoltcp and every RFC 5961 test; middleboxes and scanners do it.
Right (RFC 5961, 3.2): the first is dropped, the second is answered by a challenge ACK. The connection goes on and completes. Neither RST ended anything,
and nothing was sent again.
"""
from forged import *


def forged(source, target, seq, back):
    for offset in (300_000_000, 1000):
        forge.send(forge.segment(target, source, back + offset, 0, forge.RST), source[0])
        time.sleep(0.1)


def play(lab):
    play_forged(lab, 7040, forged)


expect = {"a": view(life(f"{B}:7040", "completed", process="fld-cli", closed_by="local", tx=5, rx=10, retransmits=0, wire__rx_bytes=10,
                         may={"out-of-window": "certain"}))}
