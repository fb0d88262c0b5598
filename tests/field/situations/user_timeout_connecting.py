# SPDX-License-Identifier: Apache-2.0
"""TCP_USER_TIMEOUT ends a connect() that nobody answers, long before the retries are used up.

Reported: grpc and curl with TCP_USER_TIMEOUT: connect() fails early with ETIMEDOUT.
Right: connect() timed out unanswered; the process's own limit ended it.
"""
from field import *

need("nft")


def client():
    s = socket.socket()
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1500)
    return error_of(s.connect, (B, 7622))


def play(lab):
    lab.pair()
    lab.nft("b", "table ip f { chain i { type filter hook prerouting priority -300; tcp dport 7622 drop; }\n}")
    lab.watch("a")
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ETIMEDOUT, "no timeout")


expect = {"a": view(life(f"{B}:7622", ("connect-timeout", "user-timeout"), process="fld-cli", errno=errno.ETIMEDOUT, findings={"retransmission": "certain"}))}
