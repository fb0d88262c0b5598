# SPDX-License-Identifier: Apache-2.0
"""A container's network is taken away (its veth is deleted) while a connection with keep-alive (4 s, 1 s, 1 probe) is idle.

Reported: docker network disconnect, CNI deletes: "connection timed out" out of read(), and tcpdump has no probe.
Right: keep-alive gave up, yet no probe and no RST ever left: the peer, which lives, is not to blame.
"""
from field import *


def server():
    c = accepted(listen(7472))
    c.sendall(read_all(c, 5))
    time.sleep(60)


def client(ready):
    c = connect(B, 7472)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in ((socket.TCP_KEEPIDLE, 4), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 1)):
        c.setsockopt(socket.IPPROTO_TCP, option, value)
    c.sendall(b"hello")
    read_all(c, 5)
    ready.set()
    failed = error_of(c.recv, 5)
    c.close()
    return failed


def play(lab):
    lab.pair()
    lab.watch("a")
    serves = lab.server("b", "fld-srv", server, 7472)
    ready = Signal()
    waits = lab.actor("a", "fld-cli", client, ready)
    ready.wait()
    lab.ip("a", "link del to-b")
    lab.must(waits.result() == errno.ETIMEDOUT, "no timeout")
    serves.end()


expect = {"a": view(life(f"{B}:7472", "keepalive-timeout", process="fld-cli", errno=errno.ETIMEDOUT, findings={"tx-not-sent": "certain"},
                         never=["sent the RST", "gave up, sent", "got no answer"], says=["No keep-alive probe left this machine"]))}
