# SPDX-License-Identifier: Apache-2.0
"""No room for TIME_WAIT: net.ipv4.tcp_max_tw_buckets is 0, as it is reached on busy proxies.

Reported: "TCP: time wait bucket table overflow" in the kernel's log; connections that end by a RST behind the FIN.
Right: the first connection is forgotten in FIN_WAIT2, and the peer's FIN gets a RST; it is not open. The second is complete where the client's
FIN comes with the ACK of the first one (within 40 ms), and nobody waits in TIME_WAIT.
"""
from field import *


def server():
    s = listen(7099)
    c = accepted(s)
    c.sendall(b"hi")
    c.close()  # the client closes later
    c = accepted(s)
    c.close()  # the client closes at once


def client():
    c = connect(B, 7099)
    read_all(c)
    time.sleep(0.3)
    c.close()
    c = connect(B, 7099)
    read_all(c)
    c.close()


def play(lab):
    lab.pair()
    lab.sysctl("b", "net.ipv4.tcp_max_tw_buckets", 0)
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7099)
    lab.actor("a", "fld-cli", client).result()


expect = {
    "b": view(life(local=":7099", outcome="unknown", process="fld-srv", closed_by="local", tx=2, rx=0),
              life(local=":7099", outcome=("completed", "unknown"), process="fld-srv", closed_by="local", tx=0, rx=0,
                   may={"reset-origin": "likely"}), may={"stray-segment": "certain"}),
}
