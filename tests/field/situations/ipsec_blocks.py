# SPDX-License-Identifier: Apache-2.0
"""An IPsec policy blocks what comes from the peer, in the middle of a connection, for a second (strongSwan's trap policies, a tunnel that goes).

Reported: strongSwan, Libreswan: "connections hang while the tunnel is rekeyed".
Right: the peer's segments arrived and were dropped before TCP; the connection lives on.
"""
from field import *
from flap import server, client


def play(lab):
    lab.pair()
    down, isdown = Signal(), Signal()
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7626, 7626, socket.AF_INET)
    talking = lab.actor("a", "fld-cli", client, B, 7626, down, isdown)
    down.wait()
    try:
        lab.ip("a", "xfrm policy add dir in src 10.9.0.2 dst 10.9.0.1 proto tcp action block")
    except NotPlayed as reason:
        raise Skip(str(reason)) from None
    isdown.set()
    time.sleep(1)
    lab.ip("a", "xfrm policy delete dir in src 10.9.0.2 dst 10.9.0.1 proto tcp")
    talking.result()


expect = {"a": view(life(f"{B}:7626", "completed", process="fld-cli", closed_by="local", tx=10, rx=10, findings={"rx-dropped": "certain"}, may={"retransmission": "certain"},
                         never=["did not leave"]))}
