# SPDX-License-Identifier: Apache-2.0
"""TCP_USER_TIMEOUT while the peer's window is closed: the peer answers every probe, and the sender gives up all the same.

Reported: "When TCP sockets refuse to die"; grpc's keepalive (it sets TCP_USER_TIMEOUT), etcd and pgbouncer with a stopped reader.
Right: the sender's own limit ended it: the peer was alive and did not read. No path is dead.
"""
from field import *


def server(done):
    c = socket.socket()
    c.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    c.bind(("", 7211))
    c.listen(4)
    s = accepted(c)
    done.wait()
    os._exit(0)


def client():
    c = connect(B, 7211)
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1500)
    c.settimeout(15)
    try:
        while True:
            c.sendall(b"x" * 65536)
    except OSError as error:
        return error.errno


def play(lab):
    lab.pair()
    done = Signal()
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7211, done)
    failed = lab.actor("a", "fld-cli", client).result()
    lab.must(failed == errno.ETIMEDOUT, f"it did not time out: {failed}")
    lab.watches[0].stop()
    done.set()


expect = {"a": view(life(f"{B}:7211", "user-timeout", process="fld-cli", errno=errno.ETIMEDOUT, closed_by="none", findings={"zero-window": "certain"},
                         may={"retransmission": "certain"}, never=["path is dead", "unreachable", "nothing has come"]))}
