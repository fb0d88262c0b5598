# SPDX-License-Identifier: Apache-2.0
"""A peer vanishes; keep-alive (1 s, 1 s, 2 probes) finds out.

Reported: the half of path_dead in which keep-alive is on; cockroach 13823's remedy.
Right: keepalive-timeout: the probes were not answered. The process gets ETIMEDOUT.
"""
from field import *

need("nft")


def server():
    c = accepted(listen(7068))
    c.sendall(read_all(c, 5))
    time.sleep(20)


def client(ready):
    c = connect(B, 7068)
    for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 2)):
        c.setsockopt(socket.IPPROTO_TCP, option, value)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    c.sendall(b"hello")
    read_all(c, 5)
    time.sleep(0.15)  # for the delayed ACK
    ready.set()
    failed = error_of(c.recv, 1)
    c.close()
    return failed


def play(lab):
    lab.routed()
    ready = Signal()
    lab.watch("a")
    served = lab.server("b", "fld-srv", server, 7068)
    talking = lab.actor("a", "fld-cli", client, ready)
    ready.wait()
    lab.nft("r", "table ip f { chain f { type filter hook forward priority 0; tcp dport 7068 drop; tcp sport 7068 drop; }\n}")
    lab.must(talking.result() == errno.ETIMEDOUT, "keep-alive did not end it")
    served.end()


expect = {"a": view(life(f"{B}:7068", "keepalive-timeout", process="fld-cli", errno=errno.ETIMEDOUT, findings={"keepalive": "certain"},
                         may={"reset-origin": "certain", "path-dead": "likely", "retransmission": "inconclusive"}))}
