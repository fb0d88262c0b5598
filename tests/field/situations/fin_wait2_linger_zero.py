# SPDX-License-Identifier: Apache-2.0
"""A server shuts down its side (FIN_WAIT2), reads all, and closes with SO_LINGER 0.

Reported: netty 11981: SO_LINGER with a half-closed socket.
Right: its process sent the RST by SO_LINGER 0. The peer sent nothing after the close.
"""
from field import *
from half_closed import play_half_closed, reset_behind_fin


def end(c):
    c.recv(5)
    c.shutdown(socket.SHUT_WR)
    time.sleep(0.3)
    abort(c)


def play(lab):
    play_half_closed(lab, 7641, end)


expect = reset_behind_fin(7641, "reset-by-local", says=["RST"])
