# SPDX-License-Identifier: Apache-2.0
"""A server forks for each client: the parent closes its descriptor at once, the child answers and shuts the connection down; a later close() ends nothing any more.

Reported: inetd, sshd, postgres and their like: tools that follow close() name the parent.
Right: the parent's close() drops a reference; the child served and closed.
"""
from field import *


def server():
    s = listen(7315)
    c = accepted(s)
    child = os.fork()
    if child == 0:
        ctypes.CDLL(None).prctl(15, b"fld-child", 0, 0, 0)
        s.close()
        time.sleep(0.2)
        c.sendall(read_all(c, 5))
        time.sleep(0.2)
        c.shutdown(socket.SHUT_WR)
        time.sleep(0.5)
        os._exit(0)
    c.close()
    os.waitpid(child, 0)


def client():
    c = connect(B, 7315)
    c.sendall(b"hello")
    read_all(c)
    c.close()


def play(lab):
    lab.pair()
    lab.watch("b")
    lab.server("b", "fld-parent", server, 7315)
    lab.actor("a", "fld-cli", client).result()


expect = {"b": view(life(local=":7315", outcome="completed", process="fld-child", closed_by="local", tx=5, rx=5, says=["fld-child"], never=["fld-parent.*(closed|shut)"]))}
