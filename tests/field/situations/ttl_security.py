# SPDX-License-Identifier: Apache-2.0
"""The server demands a hop limit of 255 (IP_MINTTL), and the client's segments have 64.

Reported: BGP with "ttl-security" on one side only.
Right: the client's connect times out; at the server the SYNs were dropped, and the kernel's reason says why.
"""
from field import *


def server(done):
    s = listen(7205)
    s.setsockopt(socket.IPPROTO_IP, 21, 255)
    done.wait()


def client():
    s = socket.socket()
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, 1)
    return error_of(s.connect, (B, 7205))


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    done = Signal()
    lab.server("b", "fld-srv", server, 7205, done)
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ETIMEDOUT, "no timeout")
    done.set()


expect = {
    "a": view(life(f"{B}:7205", "connect-timeout", process="fld-cli", findings={"retransmission": "certain"})),
    "b": view(life(local=":7205", findings={"rx-dropped": "certain"}, says=["IP_MINTTL"], may={"retransmission": "certain"})),
}
