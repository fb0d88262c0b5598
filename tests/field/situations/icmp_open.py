# SPDX-License-Identifier: Apache-2.0
"""A connection is open; then a router on the way refuses its segments with ICMP messages (admin-prohibited), until the kernel gives up.

Reported: firewall rules and routes that go while connections are open: "no route to host" out of read() after minutes.
Right: not acknowledged any more since then; the error is that of the router's message, and the router is named.
"""
from field import *
from refused_open import play_refused


def play(lab):
    lab.routed()
    play_refused(lab, B, 7095, "r",
                 "table ip f { chain f { type filter hook forward priority 0; tcp dport 7095 reject with icmp admin-prohibited; }\n}", [errno.EHOSTUNREACH])


expect = {"a": view(life(f"{B}:7095", ("user-timeout", "retransmit-timeout"), process="fld-cli", errno=errno.EHOSTUNREACH,
                         findings={"retransmission": "certain"}, says=[r"10\.8\.0\.254"], never=["RST"]))}
