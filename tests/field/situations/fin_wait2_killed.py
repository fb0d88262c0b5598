# SPDX-License-Identifier: Apache-2.0
"""A server that has shut down its side (FIN_WAIT2) is killed (SIGKILL) with data unread.

Reported: tinyproxy 600: sockets in FIN_WAIT2 whose process goes away.
Right: its kernel sends a RST for the unread data, behind its FIN. The peer sent nothing after the close.
"""
from field import *
from half_closed import play_half_closed, reset_behind_fin


def end(c):
    c.shutdown(socket.SHUT_WR)
    time.sleep(0.3)
    os.kill(os.getpid(), signal.SIGKILL)


def play(lab):
    play_half_closed(lab, 7640, end)


expect = reset_behind_fin(7640, "aborted", says=["SIGKILL|signal 9"])
