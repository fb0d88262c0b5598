# SPDX-License-Identifier: Apache-2.0
"""A client that closed first uses the same port again while it is in TIME_WAIT (tcp_tw_reuse, SO_REUSEADDR and bind).

Reported: port reuse in load tests; wireshark's "port numbers reused".
Right: two connections, each complete; the second one's numbers have nothing to do with the first's.
"""
from field import *


def server():
    s = listen(7064)
    for _ in range(3):
        c = accepted(s)
        c.sendall(read_all(c, 5))
        read_all(c)
        c.close()


def client():
    for _ in range(3):
        c = connect(B, 7064, (A, 5064))
        c.sendall(b"hello")
        read_all(c, 5)
        c.close()
        time.sleep(1.1)


def play(lab):
    lab.pair()
    lab.sysctl("a", "net.ipv4.tcp_tw_reuse", 1)
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7064)
    lab.actor("a", "fld-cli", client)


expect = {
    "a": view(life(f"{B}:7064", "completed", local=":5064", process="fld-cli", role="active", closed_by="local", tx=5, rx=5, wire__tx_bytes=5, retransmits=0, count=3)),
    "b": view(life(f"{A}:5064", "completed", local=":7064", process="fld-srv", role="passive", closed_by="peer", tx=5, rx=5, wire__rx_bytes=5, retransmits=0, count=3)),
}
