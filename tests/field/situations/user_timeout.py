# SPDX-License-Identifier: Apache-2.0
"""A peer vanishes with data unanswered; TCP_USER_TIMEOUT (2 s) ends it.

Reported: gRPC's and haproxy's tcp-ut; cloudflare's "when TCP sockets refuse to die".
Right: user-timeout, at 2 s and not after the usual number of retransmissions.
"""
from field import *

need("nft")


def server():
    c = accepted(listen(7069))
    c.sendall(read_all(c, 5))
    time.sleep(20)


def client(ready, dead):
    c = connect(B, 7069)
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 2000)
    c.sendall(b"hello")
    read_all(c, 5)
    ready.set()
    dead.wait()
    c.sendall(b"again")
    failed = error_of(c.recv, 1)
    c.close()
    return failed


def play(lab):
    lab.routed()
    ready, dead = Signal(), Signal()
    lab.watch("a")
    served = lab.server("b", "fld-srv", server, 7069)
    talking = lab.actor("a", "fld-cli", client, ready, dead)
    ready.wait()
    lab.nft("r", "table ip f { chain f { type filter hook forward priority 0; tcp dport 7069 drop; tcp sport 7069 drop; }\n}")
    dead.set()
    lab.must(talking.result() == errno.ETIMEDOUT, "it did not end")
    served.end()


expect = {"a": view(life(f"{B}:7069", "user-timeout", process="fld-cli", errno=errno.ETIMEDOUT, tx=5, rx=5, findings={"retransmission": "certain"}, may={"path-dead": "likely"}))}
