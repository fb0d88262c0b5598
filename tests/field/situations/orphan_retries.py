# SPDX-License-Identifier: Apache-2.0
"""A client closes as the path dies: the FIN of an orphan is sent again tcp_orphan_retries times, and no process learns of the end.

Reported: FIN_WAIT1 in great numbers behind a firewall that forgot its states.
Right: given up by the kernel's timer, closed here; no error reaches anybody, and the peer did nothing.
"""
from field import *

need("nft")


def server():
    c = accepted(listen(7325))
    c.sendall(read_all(c, 5))
    time.sleep(8)


def client(ready, go):
    c = connect(B, 7325)
    c.sendall(b"hello")
    read_all(c, 5)
    ready.set()
    go.wait()
    c.close()


def play(lab):
    lab.pair()
    lab.sysctl("a", "net.ipv4.tcp_orphan_retries", 2)
    lab.watch("a")
    ready, go = Signal(), Signal()
    serves = lab.server("b", "fld-srv", server, 7325)
    talks = lab.actor("a", "fld-cli", client, ready, go)
    ready.wait()
    lab.nft("b", "table ip f { chain i { type filter hook prerouting priority -300; tcp dport 7325 drop; }\n}")
    go.set()
    talks.result()
    until(lambda: lab.sockets("a", "dport = :7325"), 2, "FIN_WAIT1")
    until(lambda: not lab.sockets("a", "dport = :7325"), 15, "the end of the orphan")
    serves.end()


expect = {"a": view(life(f"{B}:7325", "retransmit-timeout", process="fld-cli", tx=5, rx=5, errno=None, findings={"retransmission": "certain", "path-dead": "likely"}, may={"half-open": "likely"},
                         never=["gets ETIMEDOUT", "fld-cli\\S* gets", "peer closed"]), may={"stray-segment": "certain"})}
