# SPDX-License-Identifier: Apache-2.0
"""A half-closed client (FIN_WAIT2) waits with keep-alive for a server that has gone from the network.

Reported: half-open FIN_WAIT2 sockets behind proxies that shut down one side.
Right: the keep-alive timer ended it: the probes went unanswered.
"""
from field import *

need("nft")


def server(done):
    c = accepted(listen(7643))
    read_all(c)
    done.wait()
    os._exit(0)


def client(ready):
    c = connect(B, 7643)
    for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 2)):
        c.setsockopt(socket.IPPROTO_TCP, option, value)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    c.sendall(b"hello")
    c.shutdown(socket.SHUT_WR)
    time.sleep(0.2)
    ready.set()
    c.settimeout(10)
    failed = error_of(read_all, c)
    c.close()
    return failed


def play(lab):
    lab.pair()
    ready, done = Signal(), Signal()
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7643, done)
    talking = lab.actor("a", "fld-cli", client, ready)
    ready.wait()
    lab.nft("b", "table ip f { chain i { type filter hook prerouting priority -300; tcp dport 7643 drop; }\n}")
    lab.must(talking.result() == errno.ETIMEDOUT, "no timeout")
    for watch in lab.watches:
        watch.stop()
    done.set()


quiet = ["a"]  # the server's FIN at its end goes unanswered
expect = {"a": view(life(f"{B}:7643", "keepalive-timeout", process="fld-cli", errno=errno.ETIMEDOUT, tx=5, rx=0, findings={"keepalive": "certain"},
                         may={"reset-origin": "certain", "half-open": "likely", "path-dead": "likely", "peer-not-closing": "certain"}, never=["peer sent data"]))}
