# SPDX-License-Identifier: Apache-2.0
"""A router on the path begins to prohibit the traffic of an open connection by ICMP, and does not end.

Reported: "No route to host" from send() on a connection that had worked (a firewall that reloads).
Right: the kernel gave up after its retransmissions; the error is what ICMP said last (EHOSTUNREACH), not ETIMEDOUT. The connection had been established.
"""
from field import *
from flap import server


def client(down, isdown):
    c = connect(B, 7603)
    c.sendall(b"hello")
    read_all(c, 5)
    time.sleep(0.1)
    down.set()
    isdown.wait()
    c.sendall(b"again")
    failed = error_of(read_all, c, 5)
    c.close()
    return failed


def play(lab):
    lab.routed()
    lab.sysctl("a", "net.ipv4.tcp_retries2", 3)
    down, isdown = Signal(), Signal()
    lab.watch("a")
    serving = lab.server("b", "fld-srv", server, 7603, 7603, socket.AF_INET)
    talking = lab.actor("a", "fld-cli", client, down, isdown)
    down.wait()
    lab.ip("r", "route add prohibit 10.9.0.2")
    isdown.set()
    lab.must(talking.result() == errno.EHOSTUNREACH, "another error")
    for watch in lab.watches:
        watch.stop()
    serving.end()


expect = {"a": view(life(f"{B}:7603", ("retransmit-timeout", "unreachable"), process="fld-cli", errno=errno.EHOSTUNREACH, rx=5, findings={"retransmission": "certain"},
                         may={"half-open": "likely", "path-dead": "likely"}, says=["prohibited"], never=["did not leave"]))}
