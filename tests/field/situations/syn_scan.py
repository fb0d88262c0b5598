# SPDX-License-Identifier: Apache-2.0
"""A port scanner sends a bare SYN; its kernel answers the SYN-ACK with a RST (nmap -sS, load balancers' half-open checks).

Reported: traefik 10794, tcp-shaker, rancher 3326.
Right: no connection was established; nobody accepts; the RST comes from the scanner.
"""
from field import *
import forge


def server():
    s = listen(7063)
    s.settimeout(1.5)
    return error_of(s.accept)


def scanner():
    forge.send(forge.segment((A, 40077), (B, 7063), 1000, 0, forge.SYN), B)


def play(lab):
    lab.pair()
    lab.watch("b")
    served = lab.server("b", "fld-srv", server, 7063)
    lab.actor("a", "fld-scan", scanner)
    lab.must(served.result() == errno.ETIMEDOUT, "somebody connected")


expect = {"b": view(life(f"{A}:40077", ("reset-by-peer", "unknown"), local=":7063", tx=0, rx=0, closed_by="peer", may={"reset-origin": "certain"},
                         never=["accepted by", "ECONNRESET"]))}
