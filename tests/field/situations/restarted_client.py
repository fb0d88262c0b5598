# SPDX-License-Identifier: Apache-2.0
"""A host that restarted uses the same port again while the server still holds the old connection.

Reported: gvisor 7619; captures of such clients in suricata-verify.
Right: the server's socket answers the new SYN with a challenge ACK (RFC 5961, 4), the client's kernel that with a RST (RFC 9293, 3.10.7.3), by which the
old connection ends. The same SYN comes again after 1 s, and the new connection completes. The RST ends no attempt of the client.
"""
from field import *


def server():
    listener = listen(7021)
    first = accepted(listener)
    first.recv(10)
    second = accepted(listener)
    data = second.recv(10)
    second.sendall(data)
    second.recv(1)
    second.close()
    return data, error_of(first.recv, 10)


def before():
    c = connect(B, 7021, (A, 5001))
    c.sendall(b"old")
    time.sleep(0.1)
    c.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)  # the kernel forgets it without a word
    c.close()


def client():
    c = connect(B, 7021, (A, 5001))
    c.sendall(b"fresh")
    c.recv(10)
    c.close()


def play(lab):
    lab.pair()
    served = lab.server("b", "fld-srv", server, 7021)
    lab.actor("a", "fld-old", before).result()
    lab.watch("a")
    lab.watch("b")
    lab.actor("a", "fld-new", client).result()
    lab.must(served.result() == (b"fresh", errno.ECONNRESET), "the old connection was not reset")


expect = {
    "a": view(life(f"{B}:7021", "completed", process="fld-new", closed_by="local", tx=5, rx=5, findings={"retransmission": "certain"},
                   may={"slow-handshake": "certain"}, preexisting=False)),
    "b": view(life(f"{A}:5001", "reset-by-peer", process="fld-srv", preexisting=True, errno=errno.ECONNRESET,
                   may={"half-open": "likely", "reset-origin": "certain", "out-of-window": "certain"}),
              life(f"{A}:5001", "completed", process="fld-srv", closed_by="peer", tx=5, rx=5, preexisting=False)),
}
