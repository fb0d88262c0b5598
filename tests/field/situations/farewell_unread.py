# SPDX-License-Identifier: Apache-2.0
"""A database says good-bye in a message and closes (wait_timeout); the client has read nothing of it when it sends its next query.

Reported: MySQL 8.0.24's ER_CLIENT_INTERACTION_TIMEOUT, LDAP's Notice of Disconnection: "server has gone away".
Right: the server closed in order; the client wrote behind it. Its RST ended a connection whose end had been announced.
"""
from field import *


def server():
    c = accepted(listen(7827))
    c.sendall(read_all(c, 5))
    time.sleep(0.3)
    c.sendall(b"timeout, bye")
    c.close()


def client():
    c = connect(B, 7827)
    c.sendall(b"hello")
    read_all(c, 5)
    time.sleep(0.8)
    c.sendall(b"query")
    time.sleep(0.2)
    data = b""
    try:
        data = c.recv(100)
    except OSError:
        pass
    c.close()
    return data


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7827)
    lab.must(lab.actor("a", "fld-cli", client).result() in (b"timeout, bye", b""), "something else")


expect = {
    "a": view(life(f"{B}:7827", "reset-by-peer", process="fld-cli", closed_by="peer", rx=17, findings={"write-after-peer-closed": "certain"},
                   may={"reset-origin": "certain"})),
    "b": view(life(local=":7827", outcome=("completed", "reset-by-local"), process="fld-srv", closed_by="local", tx=17,
                   may={"reset-origin": "certain", "data-after-close": "certain"}), may={"stray-segment": "certain"}),
}
