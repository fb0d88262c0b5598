# SPDX-License-Identifier: Apache-2.0
"""An old segment reaches a connection in TIME_WAIT; the ACK that answers it meets a peer that knows nothing any more, and whose RST ends TIME_WAIT.

Reported: RFC 1337 (TIME-WAIT assassination hazards); duplicates on long paths.
Right: the connection was over before: completed at both ends. The RST ended TIME_WAIT and no connection.
"""
from field import *
from time_wait import both_ends, play_old_segment


def play(lab):
    play_old_segment(lab, rfc1337=False)


expect = both_ends
