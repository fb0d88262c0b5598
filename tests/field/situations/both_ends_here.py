# SPDX-License-Identifier: Apache-2.0
"""Both ends of a connection on this machine: one closes with data unread, the other one is reset.

Reported: "connection reset by peer" between two services of one host, over loopback.
Right: the RST's life names the process at the other end and why its kernel reset; both numbers of the handshake agree, so that it is the
same connection.
"""
from field import *


def server(sent, closed):
    c = accepted(listen(7077, "127.0.0.1"))
    c.sendall(b"x" * 4096)
    sent.set()
    closed.wait()
    time.sleep(0.2)
    c.close()


def client(sent, closed):
    c = connect("127.0.0.1", 7077)
    sent.wait()
    time.sleep(0.2)
    c.close()
    closed.set()


def play(lab):
    lab.netns("a")
    lab.watch("a")
    sent, closed = Signal(), Signal()
    lab.server("a", "fld-srv", server, 7077, sent, closed)
    lab.actor("a", "fld-cli", client, sent, closed)


expect = {
    "a": view(life(remote="127.0.0.1:7077", outcome="reset-by-local", process="fld-cli", closed_by="local", findings={"reset-origin": "certain"},
                   peer__comm="fld-srv"),
              life(local="127.0.0.1:7077", outcome="reset-by-peer", process="fld-srv", closed_by="peer", findings={"reset-origin": "certain"},
                   peer__comm="fld-cli", says=["closed with 4.0 KiB unread"])),
}
