# SPDX-License-Identifier: Apache-2.0
"""nmap's odd scans: NULL, FIN, XMAS, ACK, SYN+FIN, SYN+RST, at an open and at a closed port.

Right: nothing was ever connected: no life but of those SYNs that the listener took (a SYN with FIN is none), no connection that was reset.
"""
from field import *
import forge

PROBES = {"null": 0, "fin": 1, "xmas": 0x29, "ack": 16, "synfin": 3, "synrst": 6}


def scan():
    for port in (7811, 7812):
        for number, flags in enumerate(PROBES.values()):
            forge.send(forge.segment(("10.9.0.77", 40000 + number), (B, port), 1000 * number + 7, 99, flags), B)
            time.sleep(0.02)


def server(done):
    s = listen(7811)
    done.wait()
    s.close()


def play(lab):
    lab.pair()
    done = Signal()
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7811, done)
    lab.actor("a", "fld-evil", scan).result()
    time.sleep(0.3)
    done.set()


expect = {"b": view(findings={"stray-segment": "certain"})}
