# SPDX-License-Identifier: Apache-2.0
"""The server closed first and is in TIME_WAIT; the client comes again from the same port, and the server's kernel lets it (RFC 6191). Two
processes listen on the port (SO_REUSEPORT).

Reported: load testers and NAT with few ports against servers that close first; "why does this SYN get through TIME_WAIT".
Right: three connections, all completed; the SYN of a later one ended the earlier one's TIME_WAIT, nothing was refused, and each begins with its SYN.
"""
import select

from field import *


def server(done):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    s.bind(("", 7213))
    s.listen(16)
    while done.fd not in select.select([s, done.fd], [], [])[0]:
        c = accepted(s)
        c.sendall(read_all(c, 5))
        c.close()


def client():
    for _ in range(3):
        c = connect(B, 7213, (A, 45555))
        c.sendall(b"hello")
        read_all(c)
        c.close()
        time.sleep(1.3)  # the timestamps' clock goes on


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    done = Signal()
    lab.server("b", "fld-srv", server, 7213, done)
    lab.actor("b", "fld-srv", server, done)
    until(lambda: len(lab.sockets("b", "sport = :7213", "-l")) == 2, 5, "two listeners")
    lab.actor("a", "fld-cli", client).result()
    done.set()


def some(value):
    return value is not None and value > 0


expect = {
    "a": view(life(f"{B}:7213", "completed", process="fld-cli", tx=5, rx=5, closed_by="peer", phases__connect_ns=some, count=3)),
    "b": view(life(local=":7213", outcome="completed", process="fld-srv", tx=5, rx=5, closed_by="local", handshake_ns=some, wire__rx_bytes=5, count=3)),
}
