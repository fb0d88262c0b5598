# SPDX-License-Identifier: Apache-2.0
"""The path reorders: every seventh segment is overtaken by those of the next 3 ms; nothing is lost.

Reported: per-packet load balancing over two links, Wi-Fi access points, LAGs with round robin.
Right: what came out of order was not sent again, as far as the sender did not: its kernel counts.
"""
from reordering import *


def play(lab):
    play_reordered(lab, 7802)


expect = expected(7802)
