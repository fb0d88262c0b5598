# SPDX-License-Identifier: Apache-2.0
"""TCP_DEFER_ACCEPT: a client connects and stays silent.

Reported: trafficserver 12468, rust 154834, vegur 132.
Right: the listener asked the kernel to wait for data. The kernel drops the client's bare ACK, which came within microseconds, and sends the SYN-ACK again
on a timer. Nothing is lost, no queue is full, no handshake is slow.
"""
from field import *


def server():
    s = listen(7001)
    s.setsockopt(socket.IPPROTO_TCP, TCP_DEFER_ACCEPT, 3)
    c = accepted(s)
    data = c.recv(10)
    c.close()
    return data


def client():
    c = connect(B, 7001)
    time.sleep(4.5)
    c.sendall(b"late")
    c.recv(1)
    c.close()


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    served = lab.server("b", "fld-srv", server, 7001)
    lab.actor("a", "fld-cli", client).result()
    lab.must(served.result() == b"late", "the late data did not come")


expect = {
    "a": view(life(f"{B}:7001", "completed", process="fld-cli", closed_by="peer", tx=4, rx=0, handshake_ns=(0, 900_000_000), may={"retransmission": "certain"})),
    "b": view(life(local=":7001", outcome="completed", process="fld-srv", closed_by="local", tx=0, rx=4, may={"retransmission": "certain"})),
}
