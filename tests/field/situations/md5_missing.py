# SPDX-License-Identifier: Apache-2.0
"""The listener wants RFC 2385 signatures of this peer, and the client signs nothing.

Reported: BGP sessions that do not come up: "the SYN arrives, and nothing happens".
Right: the client's connect times out; at the server the SYNs were dropped, and the kernel's reason says why.
"""
from field import *
from dropped_syn import dropped, play_dropped

TCP_MD5SIG = 14
KEY = struct.pack("=HHI120sBBHII80s", socket.AF_INET, 0, struct.unpack("=I", socket.inet_aton(A))[0], b"", 0, 0, 6, 0, 0, b"secret")


def play(lab):
    lab.pair()
    play_dropped(lab, 7201, (socket.IPPROTO_TCP, TCP_MD5SIG, KEY))


expect = dropped(7201, "MD5")
