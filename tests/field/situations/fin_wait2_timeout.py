# SPDX-License-Identifier: Apache-2.0
"""The client closes, the server does not; the client's kernel forgets the connection after tcp_fin_timeout, and the server's next write is reset.

Reported: infra-nimbus 35, docker/for-linux 335, moby 27539.
Right: the client waits in FIN_WAIT2 for 3 s, never in TIME_WAIT, as the server's FIN never comes. The RST at 5 s is that of a host without this connection.
The server's end stayed in CLOSE_WAIT all that time and wrote into it.
"""
from field import *


def server():
    c = accepted(listen(7008))
    c.recv(10)
    time.sleep(5)
    first = error_of(c.send, b"answer")
    time.sleep(0.3)
    second = error_of(c.send, b"answer")
    c.close()
    return first, second


def client():
    c = connect(B, 7008)
    c.sendall(b"req")
    c.close()


def play(lab):
    lab.pair()
    lab.sysctl("a", "net.ipv4.tcp_fin_timeout", 3)
    lab.watch("a")
    lab.watch("b")
    served = lab.server("b", "fld-srv", server, 7008)
    lab.actor("a", "fld-cli", client).result()
    lab.must(served.result() == (0, errno.EPIPE), "the write was not reset")


expect = {
    "a": view(life(f"{B}:7008", "fin-wait2-timeout", process="fld-cli", closed_by="local", tx=3, duration_ns=(2_900_000_000, 4_500_000_000),
                   never=["RST after", "reset by"]), may={"stray-segment": "certain"}),
    "b": view(life(local=":7008", outcome="reset-by-peer", process="fld-srv", closed_by="peer", rx=3, findings={"write-after-peer-closed": "certain"},
                   may={"reset-origin": "certain", "half-open": "likely"})),
}
