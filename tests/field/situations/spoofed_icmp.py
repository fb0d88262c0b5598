# SPDX-License-Identifier: Apache-2.0
"""ICMP messages are forged for a connection: port unreachable with a number that was never sent, and one with a right number.

Reported: RFC 5927 (blind reset by ICMP).
Right: in a synchronised state such messages end nothing (they are soft errors, or ignored). The connection completes.
"""
from forged import *


def forged(source, target, seq, back):
    for offset in (-1, 1_000_000):
        quoted = forge.segment(source, target, seq + offset, 0, forge.ACK)[:28]
        body = struct.pack("!BBHI", 3, 3, 0, 0) + quoted
        body = body[:2] + struct.pack("!H", forge.checksum(body)) + body[4:]
        forge.send(forge.ip_packet(target[0], source[0], 1, body), source[0])
        time.sleep(0.05)


def play(lab):
    play_forged(lab, 7043, forged)


expect = {"a": view(life(f"{B}:7043", "completed", process="fld-cli", closed_by="local", tx=5, rx=10, retransmits=0, errno=None))}
