# SPDX-License-Identifier: Apache-2.0
"""The listener wants RFC 2385 signatures of this peer, and the client signs nothing.

Reported: BGP sessions that do not come up: "the SYN arrives, and nothing happens".
Right: the client's connect times out; at the server the SYNs were dropped, and the kernel's reason says why.
"""
from field import *


def server(done):
    s = listen(7201)
    key = struct.pack("=HHI120sBBHII80s", socket.AF_INET, 0, struct.unpack("=I", socket.inet_aton(A))[0], b"", 0, 0, 6, 0, 0, b"secret")
    s.setsockopt(socket.IPPROTO_TCP, 14, key)
    done.wait()


def client():
    s = socket.socket()
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, 1)
    return error_of(s.connect, (B, 7201))


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    done = Signal()
    lab.server("b", "fld-srv", server, 7201, done)
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ETIMEDOUT, "no timeout")
    done.set()


expect = {
    "a": view(life(f"{B}:7201", "connect-timeout", process="fld-cli", findings={"retransmission": "certain"})),
    "b": view(life(local=":7201", findings={"rx-dropped": "certain"}, says=["MD5"], may={"retransmission": "certain"})),
}
