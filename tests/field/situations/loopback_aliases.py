# SPDX-License-Identifier: Apache-2.0
"""Connections to 0.0.0.0, to ::, between 127.0.0.2 and 127.0.0.3, from 127.0.0.1 to the host's own address, and to a port of IPv6 over IPv4.

Right: both ends of each are here; each end is a life of its own, with the addresses that ss shows.
"""
from field import *


def server():
    s = listen(7833, "::", family=socket.AF_INET6)
    for _ in range(5):
        c = accepted(s)
        c.sendall(read_all(c, 5))
        c.recv(1)
        c.close()


def client():
    for target, source in (("0.0.0.0", None), ("::", None), ("127.0.0.3", ("127.0.0.2", 0)), (A, ("127.0.0.1", 0)), ("::ffff:127.0.0.1", None)):
        c = connect(target, 7833, source)
        c.sendall(b"hello")
        read_all(c, 5)
        c.close()
        time.sleep(0.05)


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.server("a", "fld-srv", server, 7833)
    lab.actor("a", "fld-cli", client).result()


def pair(ours, theirs):
    more = {"tx": 5, "rx": 5, "wire__complete": True, "retransmits": 0}
    return [life(f"{theirs}:7833", "completed", local=ours, process="fld-cli", role="active", closed_by="local", **more),
            life(ours, "completed", local=f"{theirs}:7833", process="fld-srv", role="passive", closed_by="peer", **more)]


expect = {"a": view(*pair("127.0.0.2", "127.0.0.3"), *pair("127.0.0.1", A), life("[::1]:7833", "completed"), life(outcome="completed",
                   local="[::1]:7833"), *pair("127.0.0.1", "127.0.0.1"), *pair("127.0.0.1", "127.0.0.1"))}
