# SPDX-License-Identifier: Apache-2.0
"""connect() fails before any SYN: no route, and a route that prohibits.

Reported: iputils 65 (EACCES), node-v0.x 4553 (ENETUNREACH).
Right: no connection began, so there is nothing to say.
"""
from field import *


def client():
    return [error_of(connect, address, 7037) for address in ("10.99.0.1", "10.98.0.1", B)]


def server():
    c = accepted(listen(7037))
    c.recv(1)
    c.close()


def play(lab):
    lab.pair()
    lab.ip("a", "route add prohibit 10.98.0.0/16")
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7037)
    lab.must(lab.actor("a", "fld-cli", client).result() == [errno.ENETUNREACH, errno.EACCES, 0], "the routes did not behave as arranged")


expect = {"a": view(life(f"{B}:7037", "completed", process="fld-cli"))}
