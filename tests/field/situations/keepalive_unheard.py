# SPDX-License-Identifier: Apache-2.0
"""Keep-alive probes are answered, and the own firewall drops the answers: the kernel gives up a peer that lives.

Reported: conntrack tables that forget idle connections, behind a rule that lets only known ones in (INVALID, or NEW without SYN).
Right: answers arrived and never reached TCP. Neither "no answer arrived" nor "2 answered" is the whole of it.
"""
from field import *

need("nft")


def server():
    c = accepted(listen(7482))
    read_all(c, 3)
    time.sleep(6)


def client():
    c = connect(B, 7482)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in ((socket.TCP_KEEPIDLE, 2), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 2)):
        c.setsockopt(socket.IPPROTO_TCP, option, value)
    c.sendall(b"abc")
    c.settimeout(10)
    return error_of(c.recv, 5)


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7482)
    asked = lab.actor("a", "fld-cli", client)
    time.sleep(1)
    lab.nft("a", "table ip f { chain i { type filter hook input priority 0; tcp sport 7482 drop; }\n}")
    lab.must(asked.result() == errno.ETIMEDOUT, "the kernel did not give up")


expect = {"a": view(life(f"{B}:7482", "keepalive-timeout", process="fld-cli", errno=errno.ETIMEDOUT, tx=3,
                         findings={"keepalive": "certain", "rx-dropped": "certain"}, may={"reset-origin": "certain"},
                         says=[r"2 of 2 keep-alive probes left to-b, no answer reached TCP \(2 arrived and were dropped\)", "2 keep-alive probes in a row got no answer that reached TCP"],
                         never=["no answer arrived", "2 answered", "0 keep-alive probes"]), may={"stray-segment": "certain"})}
