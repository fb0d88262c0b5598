# SPDX-License-Identifier: Apache-2.0
"""connect() to port 0: a configuration without a port, a SRV record that was not read.

Reported: "connection refused", and no tool shows a connection: 0 means "no port" to most of them.
Right: Linux sends the SYN to port 0, and the RST that comes is an ordinary refusal.
"""
from field import *


def client():
    c = socket.socket()
    failed = error_of(c.connect, (B, 0))
    c.close()
    return failed


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ECONNREFUSED, "it was not refused")


expect = {"a": view(life(f"{B}:0", "refused", process="fld-cli", closed_by="peer", errno=errno.ECONNREFUSED, findings={"reset-origin": "likely"}))}
