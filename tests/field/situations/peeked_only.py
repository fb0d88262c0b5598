# SPDX-License-Identifier: Apache-2.0
"""A process only peeks at what has come (MSG_PEEK), another discards it (MSG_TRUNC); then they close.

Right: what was only peeked at is unread: a RST. What was discarded is read: a FIN.
"""
from field import *

MSG_TRUNC = 0x20


def server(port, flag):
    c = accepted(listen(port))
    time.sleep(0.1)
    c.recv(10, flag)
    c.close()


def client(port):
    c = connect(B, port)
    c.sendall(b"hello")
    failed = error_of(c.recv, 1)
    c.close()
    return failed


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    for port, flag, want in ((7917, socket.MSG_PEEK, errno.ECONNRESET), (7918, MSG_TRUNC, 0)):
        lab.server("b", "fld-srv", server, port, port, flag)
        lab.must(lab.actor("a", "fld-cli", client, port).result() == want, "not so")


expect = {"a": view(life(f"{B}:7917", "reset-by-peer", process="fld-cli", closed_by="peer", tx=5, rx=0, may={"reset-origin": "certain"}),
                    life(f"{B}:7918", "completed", process="fld-cli", closed_by="peer", tx=5, rx=0)),
          "b": view(life(local=":7917", outcome="reset-by-local", process="fld-srv", closed_by="local", rx=5, findings={"reset-origin": "certain"}, says=["unread"]),
                    life(local=":7918", outcome="completed", process="fld-srv", closed_by="local", rx=5))}
