# SPDX-License-Identifier: Apache-2.0
"""shutdown() while connect() has no answer yet: Linux disconnects the socket (inet_shutdown()), which can connect again.

Right: cancelled by this side, whichever direction was shut down; the next connection of the socket is another one.
"""
from field import *

need("nft")

def server():
    c = accepted(listen(7906))
    c.sendall(read_all(c, 5))
    read_all(c)
    c.close()


def client(how):
    c = socket.socket()
    c.setblocking(False)
    error_of(c.connect, (B, 7907))
    time.sleep(0.3)
    c.shutdown(how)
    time.sleep(0.3)
    if how == socket.SHUT_RDWR:
        c.setblocking(True)
        c.connect((B, 7906))
        c.sendall(b"hello")
        read_all(c, 5)
    c.close()


def play(lab):
    lab.pair()
    lab.nft("b", "table ip f { chain i { type filter hook input priority 0; tcp dport 7907 drop; }\n}")
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7906)
    lab.actor("a", "fld-wr", client, socket.SHUT_WR).result()
    lab.actor("a", "fld-both", client, socket.SHUT_RDWR).result()


expect = {"a": view(life(f"{B}:7907", "connect-cancelled", process="fld-wr", tx=0, rx=0, closed_by="local"),
                    life(f"{B}:7907", "connect-cancelled", process="fld-both", tx=0, rx=0, closed_by="local"),
                    life(f"{B}:7906", "completed", process="fld-both", role="active", closed_by="local", tx=5, rx=5))}
