# SPDX-License-Identifier: Apache-2.0
"""A half-closed connection on which the server streams is older than the run.

Reported: "ssh host tar c . | ..." with its input closed, HTTP/1.0 clients that shut their side down; traced from the middle on.
Right: it is closed in one direction only and goes on sending, as is its right (RFC 9293, 3.6): nobody forgot to close.
"""
from field import *


def server():
    c = accepted(listen(7501))
    read_all(c)
    for _ in range(12):
        c.sendall(b"x" * 1000)
        time.sleep(0.5)
    c.close()


def client(ready):
    c = connect(B, 7501)
    c.sendall(b"get")
    c.shutdown(socket.SHUT_WR)
    read_all(c, 1000)
    ready.set()
    read_all(c)
    c.close()


def play(lab):
    lab.pair()
    ready = Signal()
    serving = lab.server("b", "fld-srv", server, 7501)
    lab.actor("a", "fld-cli", client, ready)
    ready.wait()
    lab.watch("b", "--stuck-after", "2")
    lab.watch("b", "--stuck-after", "2", "--wire", "none", name="kernel")
    serving.result()


streams = life(local=":7501", outcome="completed", process="fld-srv", closed_by="peer")
expect = {"b": view(streams), "kernel": view(streams)}
