# SPDX-License-Identifier: Apache-2.0
"""Fast Open: the client's host is gone behind its SYN, and the server has answered and closed: nobody acknowledges the SYN-ACK.

Played because of RFC 7413, 5.1: a SYN with a cookie whose sender is not there.
Right: what waited is the SYN-ACK; the answer and the FIN are behind it.
"""
from field import *
from no_cookie import accepted_with_data, client_in_vain, play_client_gone, syn_ack_waited

need("fast open")


def server():
    c = accepted_with_data(8313)
    c.send(b"answer")
    c.close()


def play(lab):
    play_client_gone(lab, server, 8313)


expect = {"a": client_in_vain(8313), "b": syn_ack_waited(8313, wire__tx_bytes=6)}
