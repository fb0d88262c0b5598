# SPDX-License-Identifier: Apache-2.0
"""The same black hole as in path_mtu_black_hole, with tcp_mtu_probing: the kernel finds the size, and all arrives.

Reported: the remedy of moby 12565 and of cloud tunnels.
Right: full segments got lost, smaller ones not; then the transfer completes. What was sent again is a retransmission.
"""
from field import *
from path_mtu import play_transfer


def play(lab):
    play_transfer(lab, hole=True, probing=True)


expect = {"a": view(life(f"{B}:7014", "completed", process="fld-cli", tx=20000, findings={"retransmission": "certain"}, may={"path-mtu-black-hole": "likely"}))}
