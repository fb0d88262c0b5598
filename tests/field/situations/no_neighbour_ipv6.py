# SPDX-License-Identifier: Apache-2.0
"""connect() to an IPv6 address of the own network that no host has; and to one behind a router that is not there any more.

Reported: "No route to host" after three seconds, of containers whose peer was replaced; happy eyeballs that fall back late.
Right: as in IPv4 the SYNs never left: nobody answers the neighbour solicitations. Nobody else said anything.
"""
from field import *


def client():
    return [error_of(connect, "fd09::77", 7421), error_of(connect, "fd10::1", 7422)]


def play(lab):
    lab.pair()
    lab.ip("a", "-6 route add fd10::/64 via fd09::78")
    lab.watch("a")
    lab.must(lab.actor("a", "fld-cli", client).result() == [errno.EHOSTUNREACH] * 2, "not EHOSTUNREACH")


def unsent(remote):
    return life(remote, "connect-unsent", process="fld-cli", errno=errno.EHOSTUNREACH, closed_by="none", findings={"tx-not-sent": "certain"}, tx=0,
                says=["never left this machine: the next hop did not answer"], never=["refused", "kernel retransmitted the SYN"])


expect = {"a": view(unsent("[fd09::77]:7421"), unsent("[fd10::1]:7422"))}
