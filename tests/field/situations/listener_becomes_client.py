# SPDX-License-Identifier: Apache-2.0
"""A listening socket is disconnected (connect(AF_UNSPEC)), connects elsewhere, is disconnected again, and listens once more.

Reported: fuzzers (syzkaller); tcp_disconnect() in kernel bug reports.
Right: what it accepted is passive, what it connected is active and reset by its process.
"""
from field import *

LIBC = ctypes.CDLL(None, use_errno=True)

UNSPEC = struct.pack("HH12s", 0, 0, b"")


def disconnect(s):
    if LIBC.connect(s.fileno(), UNSPEC, 16) != 0:
        raise OSError(ctypes.get_errno(), "connect")


def server():
    c = accepted(listen(7903))
    c.sendall(read_all(c, 5))
    error_of(read_all, c)
    c.close()


def turncoat(ready):
    s = listen(7904)
    c = accepted(s)
    c.sendall(read_all(c, 5))
    read_all(c)
    c.close()
    disconnect(s)
    s.settimeout(10)
    s.connect((B, 7903))
    s.sendall(b"hello")
    read_all(s, 5)
    disconnect(s)
    s.listen(4)
    ready.set()
    c = accepted(s)
    c.sendall(read_all(c, 5))
    read_all(c)
    c.close()
    s.close()


def client(port):
    c = connect(A, port)
    c.sendall(b"hello")
    read_all(c, 5)
    c.close()


def play(lab):
    lab.pair()
    ready = Signal()
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7903)
    lab.server("a", "fld-turn", turncoat, 7904, ready)
    lab.actor("b", "fld-cli", client, 7904).result()
    ready.wait()
    lab.actor("b", "fld-cli", client, 7904).result()


expect = {"a": view(life(local=":7904", outcome="completed", role="passive", process="fld-turn", closed_by="peer", tx=5, rx=5),
                    life(f"{B}:7903", "reset-by-local", role="active", process="fld-turn", closed_by="local", tx=5, rx=5, findings={"reset-origin": "certain"}),
                    life(local=":7904", outcome="completed", role="passive", process="fld-turn", closed_by="peer", tx=5, rx=5))}
