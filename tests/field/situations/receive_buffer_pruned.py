# SPDX-License-Identifier: Apache-2.0
"""A receiver with a tiny buffer that does not read, and a sender of many small segments: memory is full long before the window is, and TCP drops.

Reported: TcpExtTCPRcvQDrop, TcpExtPruneCalled on busy servers ("loss without a lossy network").
Right: the segments arrived and TCP had no room for them; the peer sends them again. Nothing was lost on the way.
"""
from field import *


def server(go):
    s = listen(7314)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    c = accepted(s)
    go.wait()
    size = len(read_all(c))
    c.close()
    return size


def client(go):
    c = connect(B, 7314)
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    c.setblocking(False)
    sent = 0
    for _ in range(4000):
        try:
            sent += c.send(b"x")
        except BlockingIOError:
            break
        time.sleep(0.0002)
    time.sleep(0.5)
    go.set()
    c.close()
    return sent


def play(lab):
    lab.pair()
    lab.no_offload("a", "to-b")
    lab.no_offload("b", "to-a")
    lab.watch("a")
    lab.watch("b")
    go = Signal()
    served = lab.server("b", "fld-srv", server, 7314, go)
    sent = lab.actor("a", "fld-cli", client, go).result()
    lab.must(served.result() == sent, "not all arrived")


may = {"zero-window": "certain", "retransmission": "certain", "rx-dropped": "certain", "slow-accept": "certain", "stall": "likely", "delayed-ack-stall": "likely"}
expect = {
    "a": view(life(f"{B}:7314", "completed", process="fld-cli", closed_by="local", may=may)),
    "b": view(life(local=":7314", outcome="completed", process="fld-srv", closed_by="peer", may=may)),
}
