# SPDX-License-Identifier: Apache-2.0
"""A client shuts down its side and waits; the server's process never closes.

Reported: haproxy 541, aiohttp and Go servers with CLOSE_WAIT by the thousand.
Right: the server's process has not closed for long after the peer's FIN; at the client the peer is not closing. Both are still open.
"""
from field import *


def server(done):
    c = accepted(listen(7091))
    read_all(c)
    done.wait()


def client(done):
    c = connect(B, 7091)
    c.sendall(b"hello")
    c.shutdown(socket.SHUT_WR)
    done.wait()


def play(lab):
    lab.pair()
    done = Signal()
    lab.watch("a", "--stuck-after", 2)
    lab.watch("b", "--stuck-after", 2)
    served = lab.server("b", "fld-srv", server, 7091, done)
    asking = lab.actor("a", "fld-cli", client, done)
    time.sleep(4)
    for watch in lab.watches:
        watch.stop()
    served.end()
    asking.end()


expect = {
    "a": view(life(f"{B}:7091", "open", process="fld-cli", closed_by="local", tx=5, rx=0, may={"peer-not-closing": "certain"})),
    "b": view(life(local=":7091", outcome="open", process="fld-srv", closed_by="peer", tx=0, rx=5, findings={"close-wait-stuck": "certain"})),
}
