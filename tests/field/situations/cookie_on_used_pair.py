# SPDX-License-Identifier: Apache-2.0
"""An address pair is used again behind a connection that ended by a RST, and whose process keeps the descriptor; now the server answers by a cookie.

Reported: tcp_syncookies=2 under tests that reuse their ports.
Right: two whole connections.
"""
from field import *


def server():
    listener = listen(7805)
    first = accepted(listener)
    error_of(read_all, first)  # the RST; the descriptor stays open
    second = accepted(listener)
    second.sendall(read_all(second, 5))
    read_all(second)
    second.close()
    first.close()


def client():
    c = connect(B, 7805, source=("", 45077))
    c.sendall(b"gone!")
    time.sleep(0.1)
    abort(c)
    time.sleep(0.2)
    c = connect(B, 7805, source=("", 45077))
    c.sendall(b"hello")
    read_all(c, 5)
    c.close()


def play(lab):
    lab.pair()
    lab.sysctl("b", "net.ipv4.tcp_syncookies", 2)
    lab.watch("b")
    serves = lab.server("b", "fld-srv", server, 7805)
    lab.actor("a", "fld-cli", client).result()
    serves.result()


expect = {"b": view(life(local=":7805", outcome="reset-by-peer", process="fld-srv", closed_by="peer", rx=5, may={"syncookie": "certain", "reset-origin": "likely"}),
                    life(local=":7805", outcome="completed", process="fld-srv", closed_by="peer", tx=5, rx=5, wire__complete=True, may={"syncookie": "certain"}))}
