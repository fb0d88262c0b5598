# SPDX-License-Identifier: Apache-2.0
"""A server with TCP_LINGER2 below 0 shuts down its side (FIN_WAIT2), and closes: Linux keeps no socket to wait for the peer's FIN.

Reported: tcp(7), TCP_LINGER2; load balancers that set it to -1.
Right: its own close made the RST. The peer sent nothing after the close.
"""
from field import *
from half_closed import play_half_closed, reset_behind_fin


def end(c):
    c.recv(5)
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_LINGER2, -1)
    c.shutdown(socket.SHUT_WR)
    time.sleep(0.3)
    c.close()


def play(lab):
    play_half_closed(lab, 7642, end)


expect = reset_behind_fin(7642, "reset-by-local", says=["RST"])
