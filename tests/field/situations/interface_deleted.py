# SPDX-License-Identifier: Apache-2.0
"""The interface is deleted for good while a connection is open (a VPN that is shut down, a container's network that goes).

Reported: moby 40622, distant 229: connections that hang after a network is taken away.
Right: what TCP sent had no route and never left; the kernel gave up in the end. Nobody can say that the peer or the path is dead.
"""
from field import *
from cut_off import play_cut_off


def play(lab):
    lab.pair()
    play_cut_off(lab, 7668, lambda: lab.ip("a", "link del to-b"), (errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH))


expect = {"a": view(life(f"{B}:7668", ("user-timeout", "retransmit-timeout"), process="fld-cli", rx=5, findings={"tx-not-sent": "certain"}, may={"retransmission": "certain"},
                         never=["path-dead", "half-open", "nothing has come"]))}
