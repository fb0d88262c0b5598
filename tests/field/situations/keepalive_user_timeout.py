# SPDX-License-Identifier: Apache-2.0
"""A peer vanishes from an idle connection with keep-alive (1 s, 1 s, 9 probes) and TCP_USER_TIMEOUT (2.5 s), as gRPC and Go set both.

Reported: grpc-go 6250 (keep-alive gave up after a lost probe although nine are set).
Right: keep-alive gave up, because TCP_USER_TIMEOUT was over and not for the count of its probes.
"""
from field import *

need("nft")


def server(done):
    c = accepted(listen(7451))
    done.wait(25)
    abort(c)


def client(ready, done):
    c = connect(B, 7451)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 9), (18, 2500)):  # TCP_USER_TIMEOUT
        c.setsockopt(socket.IPPROTO_TCP, option, value)
    ready.set()
    failed = error_of(c.recv, 1)
    c.close()
    done.set()
    return failed


def play(lab):
    lab.pair()
    ready, done = Signal(), Signal()
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7451, done)
    waiting = lab.actor("a", "fld-cli", client, ready, done)
    ready.wait()
    lab.nft("b", "table ip f { chain i { type filter hook prerouting priority -300; tcp dport 7451 drop; }\n}")
    lab.must(waiting.result() == errno.ETIMEDOUT, "keep-alive did not give up")


expect = {"a": view(life(f"{B}:7451", "keepalive-timeout", process="fld-cli", errno=errno.ETIMEDOUT, findings={"keepalive": "certain"},
                         may={"reset-origin": "certain"}, says=("the kernel gave up when TCP_USER_TIMEOUT .2.50 s. was over",)))}
