# SPDX-License-Identifier: Apache-2.0
"""A peer's process is stopped (SIGSTOP, a debugger, a frozen container); its kernel goes on to answer keep-alive probes.

Reported: gRPC, etcd and pgbouncer: TCP keep-alive says nothing about the process behind it.
Right: every probe was answered; nobody is dead, and nothing is half open.
"""
from field import *


def server():
    c = accepted(listen(7606))
    c.sendall(read_all(c, 5))
    c.sendall(read_all(c, 5))
    read_all(c)
    c.close()


def client(ready):
    c = connect(B, 7606)
    for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 2)):
        c.setsockopt(socket.IPPROTO_TCP, option, value)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    c.sendall(b"hello")
    read_all(c, 5)
    ready.set()
    time.sleep(3.5)
    c.sendall(b"again")
    read_all(c, 5)
    c.close()


def play(lab):
    lab.pair()
    ready = Signal()
    lab.watch("a")
    lab.watch("b")
    served = lab.server("b", "fld-srv", server, 7606)
    talking = lab.actor("a", "fld-cli", client, ready)
    ready.wait()
    served.kill(signal.SIGSTOP)
    time.sleep(4.5)
    served.kill(signal.SIGCONT)
    talking.result()


expect = {
    "a": view(life(f"{B}:7606", "completed", process="fld-cli", closed_by="local", tx=10, rx=10, findings={"keepalive": "certain"}, never=["unanswered", "dead", "half"])),
    "b": view(life(local=":7606", outcome="completed", process="fld-srv", closed_by="peer", tx=10, rx=10, may={"keepalive": "certain"})),
}
