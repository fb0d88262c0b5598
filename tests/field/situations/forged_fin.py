# SPDX-License-Identifier: Apache-2.0
"""Somebody forges a FIN with the exact numbers of the peer; the peer knows nothing of it and goes on.

Right: what the peer sends next has numbers that the FIN had ended: no TCP does that, so two senders used its address. Nobody can say that
the peer sent something again. This TCP takes the FIN for the peer's, and so answers what comes behind it by a RST.
"""
from forged import *


def forged(source, target, seq, back):
    forge.send(forge.segment(target, source, back, seq, forge.FIN | forge.ACK), source[0])
    time.sleep(0.1)


def reset_server(port, go):
    c = accepted(listen(port))
    c.sendall(read_all(c, 5))
    go.wait()
    c.sendall(b"after")
    error_of(c.recv, 1)
    c.close()


def ended_client(port, ready, go):
    c = connect(B, port)
    c.sendall(b"hello")
    read_all(c, 5)
    ready.set()
    go.wait()
    time.sleep(1)
    c.close()


def play(lab):
    play_forged(lab, 7482, forged, server=reset_server, client=ended_client)


expect = {"a": view(life(f"{B}:7482", "reset-by-local", process="fld-cli", findings={"retransmission": "likely", "reset-origin": "certain"},
                         says=["two have sent from its address"], never=["the peer sent 1 segment"]))}
