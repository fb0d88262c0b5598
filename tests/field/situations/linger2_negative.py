# SPDX-License-Identifier: Apache-2.0
"""A client with TCP_LINGER2 below 0 closes: it does not wait in FIN_WAIT2. The FIN is acknowledged, and the kernel forgets the connection by a RST at once.

Reported: proxies that set TCP_LINGER2 to spare FIN_WAIT2 sockets, and peers that see ECONNRESET where they expect the end of the stream.
Right: this side closed; its own TCP reset the connection as the FIN was acknowledged. No process of the peer did anything.
"""
from field import *


def server():
    c = accepted(listen(7313))
    c.recv(10)
    time.sleep(0.5)
    said = error_of(c.recv, 10)
    c.close()
    return said


def client():
    c = connect(B, 7313)
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_LINGER2, -1)
    c.sendall(b"hello")
    time.sleep(0.1)
    c.close()


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    served = lab.server("b", "fld-srv", server, 7313)
    lab.actor("a", "fld-cli", client).result()
    served.result()


expect = {
    "a": view(life(f"{B}:7313", "reset-by-local", process="fld-cli", closed_by="local", tx=5, may={"reset-origin": "certain"}, never=["peer closed"])),
    "b": view(life(local=":7313", outcome="reset-by-peer", process="fld-srv", closed_by="peer", rx=5, may={"reset-origin": "certain"})),
}
