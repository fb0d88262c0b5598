# SPDX-License-Identifier: Apache-2.0
"""A server has the peer's FIN behind data that it does not read, and closes: a RST in CLOSE_WAIT.

Reported: HTTP servers that answer early: the client's FIN is in, the rest of its question unread.
Right: the server's close with data unread made the RST; the client had closed before.
"""
from field import *


def server():
    c = accepted(listen(7666))
    c.recv(5)
    time.sleep(0.4)
    c.close()


def client():
    c = connect(B, 7666)
    c.sendall(b"hello again")
    c.close()


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    serving = lab.server("b", "fld-srv", server, 7666)
    lab.actor("a", "fld-cli", client).result()
    serving.result()


expect = {
    "a": view(life(f"{B}:7666", "reset-by-peer", process="fld-cli", tx=11, rx=0, may={"reset-origin": "certain"}, never=["behind its FIN"])),
    "b": view(life(local=":7666", outcome="reset-by-local", process="fld-srv", tx=0, rx=11, findings={"reset-origin": "certain"}, says=["unread"], never=["peer sent data"])),
}
