# SPDX-License-Identifier: Apache-2.0
"""A client that closes first runs out of local ports: all of them wait in TIME_WAIT.

Reported: emqtt-bench 221, hitch 213, k6 and wrk users: "Cannot assign requested address".
Right: connect() found no free local port; how many ports there are, and that they are in TIME_WAIT.
"""
from field import *


def server():
    s = listen(7086)
    for _ in range(4):
        c = accepted(s)
        read_all(c)
        c.close()


def client():
    results = []
    for _ in range(5):
        s = socket.socket()
        results.append(error_of(s.connect, (B, 7086)))
        s.close()
    return results


def play(lab):
    lab.pair()
    lab.sysctl("a", "net.ipv4.ip_local_port_range", "40000 40003")
    lab.sysctl("a", "net.ipv4.tcp_tw_reuse", 0)
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7086)
    lab.must(lab.actor("a", "fld-cli", client).result() == [0] * 4 + [errno.EADDRNOTAVAIL], "the ports did not run out")


expect = {"a": view(life(f"{B}:7086", "no-local-port", process="fld-cli", local=":0", errno=errno.EADDRNOTAVAIL, findings={"port-exhaustion": "certain"}, says=["TIME_WAIT", "4"],
                         tx=0, rx=0),
                    life(f"{B}:7086", "completed", process="fld-cli", closed_by="local", count=4))}
