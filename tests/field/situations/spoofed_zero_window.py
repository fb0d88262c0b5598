# SPDX-License-Identifier: Apache-2.0
"""An ACK that TCP refuses (it acknowledges what was never sent) advertises a zero window.

Reported: blind ACK attacks (RFC 5961, 5).
Right: the segment is refused; the peer's window never closed, and no bytes were acknowledged by it.
"""
from forged import *


def forged(source, target, seq, back):
    for acked in (400_000_000, 500_000_000):
        forge.send(forge.segment(target, source, back, seq + acked, forge.ACK, window=0), source[0])
        time.sleep(0.05)


def play(lab):
    play_forged(lab, 7042, forged)


expect = {"a": view(life(f"{B}:7042", "completed", process="fld-cli", closed_by="local", tx=5, rx=10, retransmits=0, wire__complete=True,
                         may={"out-of-window": "certain"}))}
