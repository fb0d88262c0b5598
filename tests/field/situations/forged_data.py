# SPDX-License-Identifier: Apache-2.0
"""Somebody forges data with the exact numbers of the peer: this TCP takes it for the peer's, and the peer is told of data that it never sent.

Reported: "TCP hijacking", Juggler; GFW-like injectors race the server's answer.
Right: what the peer sends next has numbers that were taken already: that is no retransmission, two have sent from its address. At the peer: an ACK of what it never sent.
"""
from forged import *


def forged(source, target, seq, back):
    forge.send(forge.segment(target, source, back, seq, forge.PSH | forge.ACK, b"fake!"), source[0])
    time.sleep(0.1)


def hijacked_server(port, go):
    c = accepted(listen(port))
    c.sendall(read_all(c, 5))
    go.wait()
    error_of(c.sendall, b"after")
    time.sleep(0.5)
    abort(c)


def hijacked_client(port, ready, go):
    c = connect(B, port)
    c.sendall(b"hello")
    read_all(c, 5)
    ready.set()
    error_of(read_all, c, 5)
    time.sleep(1)
    c.close()


def play(lab):
    play_forged(lab, 7618, forged, server=hijacked_server, client=hijacked_client)


expect = {"a": view(life(f"{B}:7618", process="fld-cli", may={"reset-origin": "certain", "retransmission": "likely", "out-of-window": "certain"},
                         never=["the peer sent 1 segment again"]))}
