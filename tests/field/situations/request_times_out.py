# SPDX-License-Identifier: Apache-2.0
"""A client vanishes behind its SYN: the server sends its SYN-ACK twice, and gives the request up. Another client asks anew from the same port.

Right: nobody was connected by the first SYN; the request was given up by its timer. A SYN with another number, from the same port, is another attempt.
"""
from field import *
import forge

C = "10.9.0.33"


def syns():
    forge.send(forge.segment((C, 4000), (B, 7836), 1000, 0, forge.SYN), B)
    forge.send(forge.segment((C, 4001), (B, 7836), 5000, 0, forge.SYN), B)
    time.sleep(0.3)
    forge.send(forge.segment((C, 4001), (B, 7836), 900_000_000, 0, forge.SYN), B)
    time.sleep(4.5)


def server():
    s = listen(7836)
    s.settimeout(6)
    return error_of(s.accept)


def play(lab):
    lab.pair()
    lab.shell("b", f"ip neigh replace {C} lladdr 02:00:00:00:00:33 dev to-a nud permanent")
    lab.sysctl("b", "net.ipv4.tcp_synack_retries", 1)
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7836)
    lab.actor("a", "fld-cli", syns).result()
    time.sleep(1)


expect = {"b": view(life(f"{C}:4000", ("unknown", "connect-timeout"), process="fld-srv", findings={"retransmission": "certain"}),
                    life(f"{C}:4001", ("unknown", "connect-timeout"), findings={"retransmission": "certain"}, may={"out-of-window": "certain"}))}
