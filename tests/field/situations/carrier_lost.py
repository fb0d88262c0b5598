# SPDX-License-Identifier: Apache-2.0
"""The client's host loses its link (a cable, a bridge port that goes down): what the server sends waits in its own queue.

Reported: kubernetes' nodes whose CNI device goes away: "the server sent it, tcpdump shows nothing".
Right: the data never left, so nothing was retransmitted; the kernel only put that off. Until
the kernel has noticed the loss the device refuses the segment, behind the hook that has shown it: TCP sends it anew, which is no retransmission. That it still waited here when it was to be sent again says so. The connection is open as the run ends, and nobody has closed."""
from field import *


def server(ready, go):
    c = accepted(listen(7312))
    c.sendall(read_all(c, 5))
    ready.set()
    go.wait()
    c.sendall(b"anybody there?")
    time.sleep(5)


def client():
    c = connect(B, 7312)
    c.sendall(b"hello")
    read_all(c, 5)
    time.sleep(60)


def play(lab):
    lab.pair()
    lab.watch("b")
    ready, go = Signal(), Signal()
    serves = lab.server("b", "fld-srv", server, 7312, ready, go)
    talks = lab.actor("a", "fld-cli", client)
    ready.wait()
    lab.ip("a", "link set to-b down")
    talks.end()
    go.set()
    time.sleep(3)
    for watch in lab.watches:
        watch.stop()
    serves.end()


expect = {"b": view(life(local=":7312", outcome="open", process="fld-srv", closed_by="none", rx=5, findings={"tx-not-sent": "certain"}, may={"retransmission": "certain"},
                         never=["peer closed", "gave up", "kernel retransmitted"]))}
