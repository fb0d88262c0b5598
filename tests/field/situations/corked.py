# SPDX-License-Identifier: Apache-2.0
"""A server leaves TCP_CORK set: the last piece of each answer waits for 200 ms in its own queue.

Reported: nginx' tcp_nopush without the final uncork; "each request takes exactly 200 ms".
Right: completed; the client's delayed ACK is not the reason, nothing was lost, and nobody's window was closed.
"""
from field import *


def server():
    c = accepted(listen(7323))
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    for _ in range(4):
        read_all(c, 5)
        c.sendall(b"answer")
    c.recv(1)
    c.close()


def client():
    c = connect(B, 7323)
    begin = time.monotonic()
    for _ in range(4):
        c.sendall(b"hello")
        read_all(c, 6)
    took = time.monotonic() - begin
    c.close()
    return took


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7323)
    took = lab.actor("a", "fld-cli", client).result()
    lab.must(took > 0.6, f"it took {took} s only")


expect = {
    "a": view(life(f"{B}:7323", "completed", process="fld-cli", closed_by="local", tx=20, rx=24, retransmits=0, never=["delayed ACK"])),
    "b": view(life(local=":7323", outcome="completed", process="fld-srv", closed_by="peer", tx=24, rx=20, retransmits=0, never=["lost", "delayed ACK"])),
}
