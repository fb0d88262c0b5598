# SPDX-License-Identifier: Apache-2.0
"""A server's host has no route back to the client (a missing default route, a blackhole route): its kernel drops each SYN without a word.

Reported: "SYN received but no SYN-ACK" behind VPNs, second interfaces and policy routing; netstat -s counts SYNs to LISTEN sockets dropped.
Right: the attempt is there with the listener's process, and what is known of it. Not every SYN without an answer is one: see dnat_foreign.
"""
from field import *


def server(port):
    listener = listen(port)
    listener.settimeout(9)
    error_of(listener.accept)


def client(port):
    return error_of(connect, B, port, None, 3)


def play(lab):
    lab.routed()
    lab.watch("a")
    lab.watch("b")
    lab.watch("b", "--kernel", "off", name="wire")
    for port in (7441, 7442):
        lab.server("b", f"fld-srv-{port}", server, port, port)
    lab.ip("b", "route del default")
    lab.must(lab.actor("a", "fld-cli", client, 7441).result() == errno.ETIMEDOUT, "it was answered")
    lab.ip("b", "route add blackhole 10.8.0.0/24")
    lab.must(lab.actor("a", "fld-cli", client, 7442).result() == errno.ETIMEDOUT, "it was answered")


def unanswered(port, **more):
    return life("10.8.0.1", "unknown", local=f":{port}", tx=0, rx=0, closed_by="none", may={"retransmission": "likely"}, **more)


again = {"retransmission": "certain"}
expect = {
    "a": view(life(f"{B}:7441", "connect-cancelled", process="fld-cli", findings=again), life(f"{B}:7442", "connect-cancelled", process="fld-cli", findings=again)),
    "b": view(*[unanswered(port, process=f"fld-srv-{port}", says=("SYNs came for a listener with room, and no SYN-ACK was seen",)) for port in (7441, 7442)]),
    "wire": view(*[life("10.8.0.1", ("open", "unknown"), local=f":{port}", may={"retransmission": "likely"}) for port in (7441, 7442)]),
}
