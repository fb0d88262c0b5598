# SPDX-License-Identifier: Apache-2.0
"""A socket is sent through an AF_UNIX pair whose ends are both closed: the kernel's garbage collection closes the connection, not any process.

Reported: descriptor leaks in message passing; "a kworker closed my connection".
Right: a FIN, closed here; no kernel thread is said to be the owner.
"""
from field import *


def client():
    c = connect(B, 7327)
    c.sendall(b"hello")
    ours, theirs = socket.socketpair()
    socket.send_fds(ours, [b"x"], [c.fileno(), theirs.fileno(), ours.fileno()])
    c.close()
    ours.close()
    theirs.close()
    for _ in range(20):  # each new socket can start the collection
        one, two = socket.socketpair()
        socket.send_fds(one, [b"x"], [one.fileno()])
        one.close()
        two.close()
        time.sleep(0.05)


def server():
    c = accepted(listen(7327))
    size = len(read_all(c))
    c.close()
    return size


def play(lab):
    lab.pair()
    lab.watch("a")
    served = lab.server("b", "fld-srv", server, 7327)
    lab.actor("a", "fld-cli", client).result()
    lab.must(served.result() == 5, "the data did not come")


expect = {"a": view(life(f"{B}:7327", "completed", process="fld-cli", role="active", closed_by="local", tx=5, rx=0, never=["kworker"]))}
