# SPDX-License-Identifier: Apache-2.0
"""One socket tries again after it was refused, three times, then the server is there.

Reported: retry loops around connect() on one descriptor (libuv, zeromq reconnect); Linux allows it.
Right: four connections, of which three were refused, each with its own local port.
"""
from field import *


def client(ready, up):
    s = socket.socket()
    failed = [error_of(s.connect, (B, 7031)) for _ in range(3)]
    ready.set()
    up.wait()
    s.connect((B, 7031))
    s.sendall(b"hi")
    s.close()
    return failed


def server():
    c = accepted(listen(7031))
    read_all(c)
    c.close()


def play(lab):
    lab.pair()
    ready, up = Signal(), Signal()
    lab.watch("a")
    tries = lab.actor("a", "fld-cli", client, ready, up)
    ready.wait()
    lab.server("b", "fld-srv", server, 7031)
    up.set()
    lab.must(tries.result() == [errno.ECONNREFUSED] * 3, "it was not refused")


expect = {"a": view(
    life(f"{B}:7031", "refused", process="fld-cli", errno=errno.ECONNREFUSED, may={"reset-origin": "certain"}, never=["ICMP"], local__port=lambda p: p > 0, count=3),
    life(f"{B}:7031", "completed", process="fld-cli", closed_by="local", tx=2), never=["ICMP"])}
