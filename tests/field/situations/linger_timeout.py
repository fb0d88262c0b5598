# SPDX-License-Identifier: Apache-2.0
"""A process closes with SO_LINGER of one second while the peer does not read: close() waits for that second in vain, and returns. Then the peer reads.

Reported: gvisor 1400, netty 11981; on Linux the linger time ends the waiting, not the connection.
Right: closed by this side; the data arrived later, and the connection completed. Nobody sent a RST.
"""
from field import *


def server(go):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    s.bind(("", 7617))
    s.listen(4)
    c = accepted(s)
    go.wait()
    size = len(read_all(c))
    c.close()
    return size


def client():
    c = connect(B, 7617)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 1))
    c.sendall(b"x" * 100_000)
    c.settimeout(None)
    begun = time.monotonic()
    c.close()
    return time.monotonic() - begun


def play(lab):
    lab.pair()
    go = Signal()
    lab.watch("a")
    lab.watch("b")
    served = lab.server("b", "fld-srv", server, 7617, go)
    lab.must(lab.actor("a", "fld-cli", client).result() > 0.9, "it did not linger")
    time.sleep(0.3)
    go.set()
    lab.must(served.result() == 100_000, "the data was lost")


expect = {
    "a": view(life(f"{B}:7617", "completed", process="fld-cli", closed_by="local", tx=100_000, rx=0, findings={"zero-window": "certain"}, may={"retransmission": "certain"})),
    "b": view(life(local=":7617", outcome="completed", process="fld-srv", closed_by="peer", tx=0, rx=100_000, findings={"zero-window": "certain"}, may={"retransmission": "certain"})),
}
