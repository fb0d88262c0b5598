# SPDX-License-Identifier: Apache-2.0
"""A server waits for data by io_uring and is killed: the ring holds the socket, and a kernel worker closes it after the process is gone.

Reported: axboe/liburing 1033 and the like: sockets that close late, "by kworker".
Right: the connection ended as the process was killed: a FIN, closed here, and no kernel thread is its owner.
"""
from field import *
from io_uring_server import SOURCE

need("cc")


def client(ready):
    c = connect(B, 7060)
    c.sendall(b"hello")
    read_all(c, 5)
    ready.set()
    read_all(c)
    c.close()


def play(lab):
    lab.pair()
    path = lab.compiled("fld-uring", SOURCE)
    lab.watch("a")
    lab.watch("b")
    server = lab.program("b", path, port=7060)
    ready = Signal()
    talks = lab.actor("a", "fld-cli", client, ready)
    ready.wait()
    time.sleep(0.3)
    server.kill()
    talks.result()


expect = {
    "a": view(life(f"{B}:7060", "completed", process="fld-cli", closed_by="peer", tx=5, rx=5)),
    "b": view(life(local=":7060", outcome="completed", process="fld-uring", role="passive", closed_by="local", tx=5, rx=5, never=["kworker", "iou-"])),
}
