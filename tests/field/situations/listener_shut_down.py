# SPDX-License-Identifier: Apache-2.0
"""A server stops by shutdown() of its listening socket, to wake the thread in accept(); its port is open, and two connections wait in its queue.

Reported: the usual way to stop accept() in C and Java; jetty, thrift: clients see a reset.
Right: the waiting connections were reset with the listener by its process; a later SYN found nobody.
"""
from field import *


def server(go, done):
    s = listen(7839)
    go.wait()
    s.shutdown(socket.SHUT_RD)
    done.set()
    time.sleep(1)
    return True


def client(go, done):
    ours = [connect(B, 7839) for _ in range(2)]
    ours[0].sendall(b"hello")
    time.sleep(0.1)
    go.set()
    done.wait()
    failed = [error_of(read_all, c) for c in ours]
    return failed + [error_of(connect, B, 7839)]


def play(lab):
    lab.pair()
    go, done = Signal(), Signal()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7839, go, done)
    result = lab.actor("a", "fld-cli", client, go, done).result()
    lab.must(result == [errno.ECONNRESET, errno.ECONNRESET, errno.ECONNREFUSED], f"{result}")


expect = {
    "a": view(life(f"{B}:7839", "reset-by-peer", process="fld-cli", closed_by="peer", may={"reset-origin": "certain"}, count=2),
                   life(f"{B}:7839", "refused", may={"reset-origin": "certain"})),
    "b": view(life(local=":7839", outcome="reset-by-local", closed_by="local", process="fld-srv", findings={"reset-origin": "certain"},
                   never=["exit", "killed", "died"], count=2),
              others=("refused",), may={"stray-segment": "certain"}),
}
