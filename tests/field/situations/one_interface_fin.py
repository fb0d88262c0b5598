# SPDX-License-Identifier: Apache-2.0
"""Asymmetric routes, and only the interface by which the client sends is traced: the server's FIN comes by the other one, to a mini-socket.

Reported: as one_interface; an orphan in FIN_WAIT2 is a mini-socket, whose transitions no tracepoint shows.
Right: the server closed half a second after the client. That FIN was not seen, but the mini-socket left FIN_WAIT2 before its time (2 s): it was
not forgotten, and it is not open. Where the kernel was not asked meanwhile, it is not known.
"""
from field import *
from two_legs import HERE, THERE, two_legs


def server():
    c = accepted(listen(7157))
    c.sendall(read_all(c, 5))
    read_all(c)
    time.sleep(0.5)
    c.close()


def client():
    c = connect(THERE, 7157, (HERE, 0))
    c.sendall(b"hello")
    read_all(c, 5)
    c.close()


def play(lab):
    two_legs(lab)
    lab.sysctl("a", "net.ipv4.tcp_fin_timeout", 2)
    lab.watch("a", "-i", "to-b1")
    serving = lab.server("b", "fld-srv", server, 7157)
    lab.actor("a", "fld-cli", client).result()
    serving.result()
    time.sleep(3)


expect = {"a": view(life(f"{THERE}:7157", ("completed", "unknown"), process="fld-cli", closed_by="local", tx=5, rx=5, never=["never closed itself", "not closed yet"]))}
