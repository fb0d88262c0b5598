# SPDX-License-Identifier: Apache-2.0
"""Packets are not watched (--wire none): one connect() is refused by a RST, another one never gets an answer.

Reported: runs that must not touch the interfaces.
Right: tcp_reset() alone reports a reset in SYN_SENT, so it was a RST; nothing is guessed beside it, and the cause is named.
"""
from field import *


def client():
    return [error_of(connect, B, 7256), error_of(connect, "10.9.0.99", 7256, None, 0.3)]


def play(lab):
    lab.pair()
    lab.watch("a", "--wire", "none")
    lab.must(lab.actor("a", "fld-cli", client).result() == [errno.ECONNREFUSED, errno.ETIMEDOUT], "not refused")


expect = {"a": view(
    life(f"{B}:7256", "refused", process="fld-cli", errno=errno.ECONNREFUSED, closed_by="peer", wire=None, findings={"reset-origin": "likely"},
         says=["answered by a RST"], never=["or an ICMP message", "heard", "cause was not"]),
    life("10.9.0.99:7256", ("connect-cancelled", "connect-unsent"), process="fld-cli", may={"tx-not-sent": "certain"}))}
