# SPDX-License-Identifier: Apache-2.0
"""A server leaks its descriptor in CLOSE_WAIT; the client, which had closed its sending side only, dies by a RST.

Reported: "CLOSE_WAIT goes away by itself" (Go http servers behind a proxy that gives up later).
Right: the server's process did not close for so long, and did not close at all: the client's RST ended the connection.
"""
from field import *


def server(done):
    c = accepted(listen(7690))
    read_all(c)
    done.wait()
    os._exit(0)


def client():
    c = connect(B, 7690)
    c.sendall(b"hello")
    c.shutdown(socket.SHUT_WR)
    time.sleep(2)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()


def play(lab):
    lab.pair()
    done = Signal()
    lab.watch("a", "--stuck-after", 1)
    lab.watch("b", "--stuck-after", 1)
    lab.server("b", "fld-srv", server, 7690, done)
    lab.actor("a", "fld-cli", client).result()
    time.sleep(0.5)
    done.set()


expect = {
    "a": view(life(f"{B}:7690", "reset-by-local", process="fld-cli", closed_by="local", tx=5, rx=0, findings={"reset-origin": "certain"},
                   may={"peer-not-closing": "certain"})),
    "b": view(life(local=":7690", outcome="reset-by-peer", process="fld-srv", closed_by="peer", tx=0, rx=5, findings={"close-wait-stuck": "certain"},
                   may={"reset-origin": "likely"}, says=["(has|had) not closed"], never=["closed only"])),
}
