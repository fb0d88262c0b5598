# SPDX-License-Identifier: Apache-2.0
"""The way to the server goes while a connection is open: a route that swallows (blackhole), or the own address is taken away (DHCP, a VPN that ends).

Reported: "connections hang after the VPN went down", ETIMEDOUT minutes later, and nothing on the wire.
Right: TCP tried until TCP_USER_TIMEOUT and sent nothing: it never left this machine. The peer is not to blame, and neither is the path.
What the peer sends to the address that is gone is dropped here, and that may be said.
"""
from field import *

TCP_USER_TIMEOUT = 18


def server(port, done):
    s = listen(port)
    c = accepted(s)
    c.sendall(read_all(c, 5))
    done.wait(60)


def client(port, ready, go):
    c = connect(B, port)
    c.sendall(b"hello")
    read_all(c, 5)
    ready.set()
    go.wait()
    c.setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, 2000)
    c.sendall(b"again")
    found = error_of(c.recv, 5)
    c.close()
    return found


def play(lab):
    lab.pair()
    lab.watch("a")
    done = Signal()
    for port, change in ((7461, f"route add blackhole {B}/32"), (7462, "addr del 10.9.0.1/24 dev to-b")):
        ready, go = Signal(), Signal()
        lab.server("b", "fld-srv", server, port, port, done)
        asked = lab.actor("a", "fld-cli", client, port, ready, go)
        ready.wait()
        lab.ip("a", change)
        go.set()
        lab.must(asked.result() == errno.ETIMEDOUT, "no timeout")
        if port == 7461:
            lab.ip("a", f"route del blackhole {B}/32")
    done.set()


def unsent(port):
    return life(f"{B}:{port}", "user-timeout", process="fld-cli", errno=errno.ETIMEDOUT, tx=5, rx=5, findings={"tx-not-sent": "certain"},
                may={"retransmission": "certain", "rx-dropped": "certain"}, never=["path-dead"], says=["never left this machine"])


expect = {"a": view(unsent(7461), unsent(7462))}
