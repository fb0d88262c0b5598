# SPDX-License-Identifier: Apache-2.0
"""A process breaks an open connection off by connect(AF_UNSPEC), and connects the same socket again.

Reported: pools that reuse a descriptor; fuzzers; tcp_disconnect() in kernel bug reports.
Right: two connections of one socket: the first reset by this side, the second closed in order.
"""
from field import *


def server():
    listener = listen(7203)
    c = accepted(listener)
    error_of(c.recv, 10)
    error_of(c.recv, 10)
    c.close()
    c = accepted(listener)
    read_all(c)
    c.close()


def client():
    c = connect(B, 7203)
    c.sendall(b"hello")
    time.sleep(0.1)
    unspec = struct.pack("HH12s", 0, 0, b"")
    if ctypes.CDLL(None, use_errno=True).connect(c.fileno(), unspec, 16) != 0:
        raise OSError(ctypes.get_errno(), "connect")
    time.sleep(0.1)
    c.connect((B, 7203))
    c.sendall(b"again")
    c.close()


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7203)
    lab.actor("a", "fld-cli", client)


expect = {
    "a": view(life(f"{B}:7203", "reset-by-local", process="fld-cli", closed_by="local", tx=5, rx=0, findings={"reset-origin": "certain"}),
              life(f"{B}:7203", "completed", process="fld-cli", closed_by="local", tx=5, rx=0)),
    "b": view(life(local=":7203", outcome="reset-by-peer", process="fld-srv", closed_by="peer", tx=0, rx=5, findings={"reset-origin": "likely"}),
              life(local=":7203", outcome="completed", process="fld-srv", closed_by="peer", tx=0, rx=5)),
}
