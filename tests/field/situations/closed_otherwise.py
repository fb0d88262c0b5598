# SPDX-License-Identifier: Apache-2.0
"""Sockets end without close(): dup2() puts another file in their place (Java's preClose), exec() takes those with CLOEXEC, close_range() the rest.

Right: closed in order by this side, by these processes; whoever says that close() was called must have seen it.
"""
from field import *


def server():
    s = listen(7821)
    for _ in range(4):
        c = accepted(s)
        read_all(c)
        c.close()


def by_dup2():
    c = connect(B, 7821)
    c.sendall(b"hello")
    time.sleep(0.1)
    os.dup2(os.open("/dev/null", os.O_RDONLY), c.fileno())
    time.sleep(0.3)


def by_exec():
    c = connect(B, 7821)
    c.sendall(b"hello")
    time.sleep(0.1)
    os.execvp("sleep", ["sleep", "0.3"])


def by_range():
    c = connect(B, 7821)
    c.sendall(b"hello")
    time.sleep(0.1)
    os.closerange(c.fileno(), c.fileno() + 1)
    time.sleep(0.3)


def beside_recv():
    import threading
    c = connect(B, 7821)
    c.sendall(b"hello")
    reader = threading.Thread(target=lambda: error_of(c.recv, 10))
    c.settimeout(None)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 1, 0))
    reader.start()
    time.sleep(0.1)
    os.close(c.detach())  # recv() holds the file
    reader.join()
    time.sleep(0.2)


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7821)
    for name, func in (("dup2", by_dup2), ("exec", by_exec), ("range", by_range), ("recv", beside_recv)):
        lab.actor("a", f"fld-{name}", func).result()


expect = {
    "a": view(*[life(f"{B}:7821", "completed", process=f"fld-{name}", closed_by="local", tx=5, rx=0) for name in ("dup2", "exec", "range", "recv")]),
    "b": view(life(local=":7821", outcome="completed", process="fld-srv", closed_by="peer", rx=5, count=4)),
}
