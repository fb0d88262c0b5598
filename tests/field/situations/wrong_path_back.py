# SPDX-License-Identifier: Apache-2.0
"""A client with two interfaces and strict rp_filter: the SYN-ACKs come in by the other one, and its routing refuses them.

Reported: multi-homed hosts after an upgrade that set rp_filter to 1: "connection timed out", while tcpdump shows the answer.
Right: the answer came and was dropped here, by reverse-path filtering.
"""
from field import *


def server():
    s = listen(7834)
    s.settimeout(4)
    return error_of(s.accept)


def client():
    s = socket.socket()
    s.bind((A, 0))
    return error_of(s.connect, (B, 7834))


def play(lab):
    lab.netns("a", "b")
    lab.link("a", "10.9.0.1/24", "b", "10.9.0.2/24")
    lab.link("a", "10.7.0.1/24", "b", "10.7.0.2/24", number=2)
    lab.sysctl("a", "net.ipv4.conf.all.rp_filter", 1)
    lab.sysctl("a", "net.ipv4.tcp_syn_retries", 1)
    lab.sysctl("b", "net.ipv4.tcp_synack_retries", 1)
    lab.ip("b", "route add 10.9.0.1/32 via 10.7.0.1")
    lab.sysctl("b", "net.ipv4.conf.all.rp_filter", 0)
    for place, device, other, address in (("a", "to-b", "to-a", B), ("b", "to-a2", "to-b2", "10.7.0.1")):
        there = "b" if place == "a" else "a"
        mac = lab.shell(there, f"cat /sys/class/net/{other}/address").strip()
        lab.shell(place, f"ip neigh replace {address} lladdr {mac} dev {device} nud permanent")
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7834)
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ETIMEDOUT, "it was connected")


expect = {
    "a": view(life(f"{B}:7834", "connect-ignored", process="fld-cli", findings={"rx-dropped": "certain", "retransmission": "certain"})),
    "b": view(life(local=":7834", outcome=("unknown", "open", "connect-timeout"), findings={"retransmission": "certain"})),
}
