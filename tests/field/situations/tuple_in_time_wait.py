# SPDX-License-Identifier: Apache-2.0
"""A client that closed first binds the same port again and connects to the same server at once, without timestamps.

Reported: "Cannot assign requested address" in test loops that bind their source port.
Right: the second connect() fails before any SYN: its pair of addresses is in TIME_WAIT.
"""
from field import *


def server():
    s = listen(7649)
    c = accepted(s)
    read_all(c)
    c.close()


def client():
    c = connect(B, 7649, (A, 5649))
    c.close()
    time.sleep(0.1)
    return error_of(connect, B, 7649, (A, 5649), 3)


def play(lab):
    lab.pair()
    lab.sysctl("a", "net.ipv4.tcp_timestamps", 0)  # with them bind() and connect() may use the pair again
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7649)
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.EADDRNOTAVAIL, "it was free")


expect = {"a": view(life(f"{B}:7649", "completed", process="fld-cli", closed_by="local", findings={"time-wait": "certain"}),
                    life(f"{B}:7649", "no-local-port", process="fld-cli", errno=errno.EADDRNOTAVAIL, may={"port-exhaustion": "certain"}))}
