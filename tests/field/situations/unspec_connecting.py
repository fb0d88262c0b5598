# SPDX-License-Identifier: Apache-2.0
"""A process breaks a connect() off by connect(AF_UNSPEC), and connects the same socket to another port.

Right: the first attempt was cancelled, the second connection is one of its own.
"""
from field import *

need("nft")

LIBC = ctypes.CDLL(None, use_errno=True)

UNSPEC = struct.pack("HH12s", 0, 0, b"")


def disconnect(s):
    if LIBC.connect(s.fileno(), UNSPEC, 16) != 0:
        raise OSError(ctypes.get_errno(), "connect")


def server():
    c = accepted(listen(7901))
    c.sendall(read_all(c, 5))
    read_all(c)
    c.close()


def client():
    c = socket.socket()
    c.setblocking(False)
    error_of(c.connect, (B, 7902))
    time.sleep(0.3)
    disconnect(c)
    time.sleep(0.1)
    c.setblocking(True)
    c.connect((B, 7901))
    c.sendall(b"hello")
    read_all(c, 5)
    c.close()


def play(lab):
    lab.pair()
    lab.nft("b", "table ip f { chain i { type filter hook input priority 0; tcp dport 7902 drop; }\n}")
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7901)
    lab.actor("a", "fld-cli", client)


expect = {"a": view(life(f"{B}:7902", "connect-cancelled", process="fld-cli", tx=0, rx=0),
                    life(f"{B}:7901", "completed", process="fld-cli", role="active", closed_by="local", tx=5, rx=5))}
