# SPDX-License-Identifier: Apache-2.0
"""redis closes an idle client (timeout 1), and the pool sends its next command on that connection.

Reported: redis-py 1140, lettuce 861: "Connection closed by server", "Connection reset by peer" at the first command after a pause.
Right: redis closed first, in order; the client wrote after that and was reset.
"""
from field import *

need("redis-server")


def client():
    c = connect(B, 6379)
    c.sendall(b"PING\r\n")
    c.recv(10)
    time.sleep(3.5)
    c.sendall(b"PING\r\n")
    time.sleep(0.3)
    failed = error_of(c.sendall, b"PING\r\n")
    c.close()
    return failed


def play(lab):
    lab.pair()
    redis(lab, "b", 6379, "--timeout", "1")
    lab.watch("a")
    lab.watch("b")
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.EPIPE, "the write did not fail")


expect = {
    "a": view(life(f"{B}:6379", "reset-by-peer", process="fld-cli", closed_by="peer", findings={"write-after-peer-closed": "certain"},
                   may={"reset-origin": "certain", "close-wait-stuck": "certain"})),
    "b": view(life(local=":6379", outcome=("completed", "reset-by-local"), process="redis-server", closed_by="local", may={"reset-origin": "certain", "time-wait": "certain"})),
}
