# SPDX-License-Identifier: Apache-2.0
"""Raw sockets get copies of all TCP segments (IPPROTO_TCP): one has a filter that takes none, one is read by nobody. A packet socket is full, too.

Reported: nmap, hping, scapy's L3RawSocket, VPN and tunnel daemons beside ordinary servers; `dropwatch` full of SOCKET_FILTER.
Right: the copies are dropped, and TCP takes every segment. Another connection's own socket has such a filter: there it is true.
"""
from field import *


def server(port, deaf):
    c = accepted(listen(port))
    if deaf:
        drop_all(c)
        time.sleep(1)
        c.close()
        return 0
    data = read_all(c)
    c.close()
    return len(data)


def client(port):
    c = connect(B, port)
    for _ in range(20):
        c.sendall(b"x" * 1000)
        time.sleep(0.02)
    c.close()


def listener(kind, ready):
    if kind == "packet":
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    else:
        s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    if kind == "filter":
        drop_all(s)
    ready.set()
    time.sleep(4)


def play(lab):
    lab.pair()
    for kind in ("filter", "full", "packet"):
        ready = Signal()
        lab.actor("b", f"fld-{kind}", listener, kind, ready)
        ready.wait()
    lab.watch("b")
    served = lab.server("b", "fld-srv", server, 7484, 7484, False)
    lab.actor("a", "fld-cli", client, 7484).result()
    lab.must(served.result() == 20_000, "not all of it arrived")
    lab.server("b", "fld-deaf", server, 7485, 7485, True)
    lab.actor("a", "fld-cli", client, 7485)


quiet = ["b"]
expect = {"b": view(life(local=":7484", outcome="completed", process="fld-srv", rx=20_000, closed_by="peer"),
                    life(local=":7485", process="fld-deaf", findings={"rx-dropped": "certain"}, may={"retransmission": "certain", "reset-origin": "certain", "half-open": "likely"},
                         says=["SOCKET_FILTER"]), summary={"drops": lambda count: count < 60})}
