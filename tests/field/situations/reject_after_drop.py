# SPDX-License-Identifier: Apache-2.0
"""The own firewall first drops the SYN, then a rule that rejects is put before: the repeated SYN gets a RST.

Reported: consent prompts and per-application firewalls: hold the first SYN, refuse the next one.
Right: no SYN ever left this machine, whose firewall refused the last one; no packet is missed on the wire.
"""
from field import *

need("nft")


def client():
    return error_of(connect, B, 7259, None, 8)


def play(lab):
    lab.pair()
    lab.nft("a", "table ip f { chain o { type filter hook output priority 0; tcp dport 7259 drop; }\n}")
    lab.watch("a")
    actor = lab.actor("a", "fld-cli", client)
    until(lambda: lab.sockets("a", "state syn-sent"), 10, "the first SYN")
    lab.nft("a", "insert rule ip f o tcp dport 7259 reject with tcp reset")
    lab.must(actor.result() == errno.ECONNREFUSED, "not refused")


expect = {"a": view(life(f"{B}:7259", "refused", process="fld-cli", errno=errno.ECONNREFUSED, closed_by="local", tx=0,
                         findings={"tx-not-sent": "certain", "reset-origin": "certain", "retransmission": "certain"},
                         never=["not seen as such", "sent the SYN again"], says=["never left this machine"]))}
