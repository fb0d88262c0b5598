# SPDX-License-Identifier: Apache-2.0
"""The path reorders, and neither side has SACK or timestamps: every seventh segment is overtaken by those of the next 3 ms.

Reported: per-packet load balancing over two links, Wi-Fi access points, LAGs with round robin.
Right: what came out of order was not sent again, as far as the sender did not: its kernel counts.
"""
from reordering import *


def play(lab):
    play_reordered(lab, 7853, without=("tcp_sack", "tcp_timestamps"))


expect = expected(7853)
