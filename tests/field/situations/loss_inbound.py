# SPDX-License-Identifier: Apache-2.0
"""curl downloads 3 MB; a router drops three per cent of the data on the way to this host.

Reported: the downloads of everybody; 3 % loss towards this host was "RETR 0" and no finding.
Right: the receiver's end counts the retransmissions that came in, and says so; the sender's end counts those that it sent. As many as nstat's
TcpRetransSegs at the sender.
"""
from field import *
from loss import play_transfer, segments_sent_again


def play(lab):
    play_transfer(lab, "tcp sport 8080", upload=False)


expect = {
    "a": view(life(f"{B}:8080", "completed", process="curl", rx=lambda n: n > 3_000_000, retransmits_in=segments_sent_again(0.8), findings={"retransmission": "certain"},
                   may={"zero-window": "certain"})),
    "b": view(life(local=":8080", outcome="completed", process="nginx", tx=lambda n: n > 3_000_000, retransmits=segments_sent_again(1.0),
                   findings={"retransmission": "certain"}, may={"zero-window": "certain"})),
}
