# SPDX-License-Identifier: Apache-2.0
"""The server closes with unread data; the client has closed before that RST comes.

Reported: HTTP clients that send a body and leave; load testers.
Right: the client's process is gone, so nobody gets ECONNRESET. The client's end is reset by the peer.
"""
from field import *


def server(closed):
    c = accepted(listen(7048))
    closed.wait()
    c.close()


def client(closed):
    c = connect(B, 7048)
    c.sendall(b"never read")
    time.sleep(0.1)
    c.close()
    closed.set()
    time.sleep(0.3)


def play(lab):
    lab.pair()
    closed = Signal()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7048, closed)
    lab.actor("a", "fld-cli", client, closed)


expect = {
    "a": view(life(f"{B}:7048", "reset-by-peer", process="fld-cli", closed_by="local", tx=10, may={"reset-origin": "certain", "peer-not-closing": "certain"},
                   never=["process gets"]), never=["process gets"]),
    "b": view(life(local=":7048", outcome="reset-by-local", process="fld-srv", findings={"reset-origin": "certain"}, never=["process gets ECONNRESET"])),
}
