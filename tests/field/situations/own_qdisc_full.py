# SPDX-License-Identifier: Apache-2.0
"""The sender's own queueing discipline has no room: its segments never leave.

Reported: a shaper (tbf) on the host taken for loss on the path.
Right: what was sent again never left this machine, and the kernel says why; the receiver knows of no loss of the path.
"""
from field import *

SIZE = 300_000


def server():
    c = accepted(listen(7211))
    read_all(c)
    c.close()


def client():
    c = connect(B, 7211)
    c.sendall(b"x" * SIZE)
    c.shutdown(socket.SHUT_WR)
    read_all(c)
    c.close()


def play(lab):
    lab.pair()
    lab.no_offload("a", "to-b")
    lab.shell("a", "tc qdisc add dev to-b root tbf rate 20mbit burst 3000 limit 9000")
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7211)
    lab.actor("a", "fld-cli", client)


expect = {
    "a": view(life(f"{B}:7211", "completed", process="fld-cli", closed_by="local", tx=SIZE, findings={"tx-not-sent": "certain"}, may={"retransmission": "certain"})),
    "b": view(life(local=":7211", outcome="completed", process="fld-srv", closed_by="peer", rx=SIZE, may={"retransmission": "certain"})),
}
