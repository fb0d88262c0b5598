# SPDX-License-Identifier: Apache-2.0
"""curl uploads 3 MB; a router drops three per cent of the data on the way to the server.

Reported: slow uploads; bcc's tcpretrans counts buffers, nstat segments.
Right: the sender's end counts retransmissions as nstat does (segments); the receiver's end counts those that came in.
"""
from field import *
from loss import play_transfer, segments_sent_again


def play(lab):
    play_transfer(lab, "tcp dport 8080", upload=True)


expect = {
    "a": view(life(f"{B}:8080", "completed", process="curl", tx=lambda n: n > 3_000_000, retransmits=segments_sent_again(1.0), findings={"retransmission": "certain"},
                   may={"zero-window": "certain"})),
    "b": view(life(local=":8080", outcome="completed", process="node", rx=lambda n: n > 3_000_000, retransmits_in=segments_sent_again(0.8),
                   findings={"retransmission": "certain"}, may={"zero-window": "certain"})),
}
