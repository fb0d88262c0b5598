# SPDX-License-Identifier: Apache-2.0
"""A connection moves to another process by TCP_REPAIR, as CRIU does it: its socket vanishes and comes again.

Reported: container migration; "the connection was reset" where nothing was sent.
Right: at the server one ordinary connection; here nobody reset anything, and the second socket's life ends in order.
"""
from field import *

TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ, RECV, SEND = 20, 21, 1, 2


def server():
    c = accepted(listen(7210))
    c.sendall(read_all(c, 10))
    read_all(c)
    c.close()


def client():
    tcp = socket.IPPROTO_TCP
    c = connect(B, 7210)
    c.sendall(b"hello")
    time.sleep(0.2)  # acknowledged
    c.setsockopt(tcp, TCP_REPAIR, 1)
    numbers = {}
    for queue in (SEND, RECV):
        c.setsockopt(tcp, TCP_REPAIR_QUEUE, queue)
        numbers[queue] = c.getsockopt(tcp, TCP_QUEUE_SEQ)
    own = c.getsockname()
    c.close()
    d = socket.socket()
    d.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    d.setsockopt(tcp, TCP_REPAIR, 1)
    d.bind(own)
    for queue in (SEND, RECV):
        d.setsockopt(tcp, TCP_REPAIR_QUEUE, queue)
        d.setsockopt(tcp, TCP_QUEUE_SEQ, numbers[queue])
    d.connect((B, 7210))
    d.setsockopt(tcp, TCP_REPAIR, 0)
    d.sendall(b"again")
    read_all(d, 10)
    d.close()


def play(lab):
    lab.pair()
    lab.sysctl("a", "net.ipv4.tcp_timestamps", 0)
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7210)
    lab.actor("a", "fld-cli", client)


expect = {
    "a": view(life(f"{B}:7210", ("unknown", "aborted"), process="fld-cli", tx=5, rx=0),
              life(f"{B}:7210", "completed", process="fld-cli", closed_by="local", tx=5, rx=10)),
    "b": view(life(local=":7210", outcome="completed", process="fld-srv", closed_by="peer", tx=10, rx=10, may={"keepalive": "likely"})),
}
