# SPDX-License-Identifier: Apache-2.0
"""Both ends use shutdown(SHUT_RDWR) and close later.

Reported: libraries that shut down before they close (Python's ssl, asyncio, Java).
Right: shutdown() sent the FIN, not close().
"""
from field import *


def server():
    c = accepted(listen(7065))
    read_all(c)
    c.shutdown(socket.SHUT_RDWR)
    time.sleep(0.4)
    c.close()


def client():
    c = connect(B, 7065)
    c.sendall(b"hello")
    time.sleep(0.1)
    c.shutdown(socket.SHUT_RDWR)
    time.sleep(0.4)
    c.close()


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7065)
    lab.actor("a", "fld-cli", client)


expect = {
    "a": view(life(f"{B}:7065", "completed", process="fld-cli", closed_by="local", tx=5, rx=0, never=["called close"]),
              events=[{"type": "state", "to": "FIN_WAIT1", "cause.what": "shutdown"}]),
    "b": view(life(local=":7065", outcome="completed", process="fld-srv", closed_by="peer", tx=0, rx=5, never=["called close"]),
              events=[{"type": "state", "to": "LAST_ACK", "cause.what": "shutdown"}]),
}
