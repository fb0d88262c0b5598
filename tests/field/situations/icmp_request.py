# SPDX-License-Identifier: Apache-2.0
"""A server's SYN-ACK meets a router that has no way back to the client: an ICMP message (host unreachable) ends the half-open request.

Reported: asymmetric routes, VPN clients that have gone: SYNs that come, and half-open requests that vanish.
Right: the server's request is over, by the router's message; it is not open.
"""
from field import *

need("nft")


def server(done):
    listener = listen(7097)  # noqa: kept open
    done.wait()


def client():
    return error_of(connect, B, 7097, None, 0.6)


def play(lab):
    lab.routed()
    lab.nft("r", "table ip f { chain f { type filter hook forward priority 0; tcp sport 7097 reject with icmp host-unreachable; }\n}")
    done = Signal()
    lab.server("b", "fld-srv", server, 7097, done)
    lab.watch("b")
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ETIMEDOUT, "connected")
    done.set()


expect = {"b": view(life(local=":7097", outcome="unreachable", process="fld-srv", closed_by="none", says=[r"10\.9\.0\.254"]))}
