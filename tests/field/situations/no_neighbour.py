# SPDX-License-Identifier: Apache-2.0
"""connect() to an address of the own network that no host has.

Reported: undici 1764 (EHOSTUNREACH), Docker's stale addresses.
Right: the SYNs never left: nobody answers ARP. connect() fails with EHOSTUNREACH. No other host said anything (the own kernel makes the ICMP message that
tells its socket).
"""
from field import *


def client():
    return error_of(connect, "10.9.0.77", 7034)


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.EHOSTUNREACH, "not EHOSTUNREACH")


expect = {"a": view(life("10.9.0.77:7034", "connect-unsent", process="fld-cli", errno=errno.EHOSTUNREACH,
                         may={"tx-not-sent": "certain", "retransmission": "certain"}, tx=0, says=["still waits on this machine", "the kernel notes EHOSTUNREACH"],
                         never=["refused", "kernel retransmitted the SYN", "cause was not", "notes EHOSTUNREACH: this"]), never=[r"sent by (?!10\.9\.0\.1)"])}
