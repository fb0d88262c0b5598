# SPDX-License-Identifier: Apache-2.0
"""A SYN reaches the server's machine, whose kernel drops it before the listener has it: connect() times out."""
from field import *


def server(port, demand, done):
    s = listen(port)
    if demand:
        s.setsockopt(*demand)
    done.wait()


def client(port, source):
    s = socket.socket()
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, 1)
    if source:
        s.bind((source, 0))
    return error_of(s.connect, (B, port))


def play_dropped(lab, port, demand=None, source=None):
    """demand: the socket option of the listener that the client does not meet."""
    lab.watch("a")
    lab.watch("b")
    done = Signal()
    lab.server("b", "fld-srv", server, port, port, demand, done)
    lab.must(lab.actor("a", "fld-cli", client, port, source).result() == errno.ETIMEDOUT, "no timeout")
    done.set()


def dropped(port, reason):
    return {
        "a": view(life(f"{B}:{port}", "connect-timeout", process="fld-cli", findings={"retransmission": "certain"})),
        "b": view(life(local=f":{port}", outcome="syn-dropped", findings={"rx-dropped": "certain"}, says=[reason], may={"retransmission": "certain"})),
    }
