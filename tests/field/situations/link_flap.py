# SPDX-License-Identifier: Apache-2.0
"""The peer's link goes down for a second in the middle of a conversation, and comes back.

Reported: cables, live migration, bond fail-over.
Right: what was sent meanwhile is sent again and arrives: a retransmission, a completed connection. Nobody vanished for good, and there is no half-open end.
"""
from field import *
from flap import play_flap, whole


def play(lab):
    play_flap(lab, 7083, "b", "link set to-a down", "link set to-a up")


expect = whole(f"{B}:7083", findings={"retransmission": "certain"}, may={"tx-not-sent": "certain", "path-dead": "likely"}, never=["ICMP", "half-open"])
