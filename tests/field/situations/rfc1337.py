# SPDX-License-Identifier: Apache-2.0
"""As in time_wait_assassinated, but with tcp_rfc1337: the RST does not end TIME_WAIT.

Right: completed at both ends; the RST changed nothing.
"""
from field import *
from time_wait import both_ends, play_old_segment


def play(lab):
    play_old_segment(lab, rfc1337=True)


expect = both_ends
