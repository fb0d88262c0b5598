# SPDX-License-Identifier: Apache-2.0
"""Fast Open: the client's host is gone behind its SYN, whose data the server has read: nobody acknowledges the SYN-ACK.

Played because of RFC 7413, 5.1: a SYN with a cookie whose sender is not there.
Right: one connection at the server, whose SYN-ACK was sent again until the kernel gave up. No keep-alive took part.
"""
from field import *
from no_cookie import accepted_with_data, client_in_vain, play_client_gone, syn_ack_waited

need("fast open")


def server():
    c = accepted_with_data(8311)
    failed = error_of(c.recv, 5)
    c.close()
    return failed


def play(lab):
    lab.must(play_client_gone(lab, server, 8311) == errno.ETIMEDOUT, "the server did not give up")


expect = {"a": client_in_vain(8311), "b": syn_ack_waited(8311, tx=0, errno=errno.ETIMEDOUT)}
