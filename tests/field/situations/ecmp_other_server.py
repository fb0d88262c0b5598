# SPDX-License-Identifier: Apache-2.0
"""Two servers share an address (anycast, ECMP); the router changes its mind within the handshake: the SYN reached one, all else the other.

Reported: ECMP rehashing on link changes, Maglev tables that differ; "connection reset by peer" at once after connect().
Right: the client was open, and what answered as the server knew nothing of it. The first server waits for an ACK that never comes. The second one's
kernel sent the RST, as no socket there matches.
"""
from field import *


def server():
    s = listen(7810, VIP)
    s.settimeout(3)
    return error_of(s.accept)


def client():
    c = socket.socket()
    c.settimeout(5)
    failed = error_of(c.connect, (VIP, 7810)) or error_of(c.sendall, b"hello") or error_of(read_all, c)
    c.close()
    return failed


VIP = "10.7.0.1"


def play(lab):
    lab.netns("a", "r", "b", "c")
    lab.link("a", "10.8.0.1/24", "r", "10.8.0.254/24")
    lab.link("b", "10.9.0.2/24", "r", "10.9.0.254/24")
    lab.link("c", "10.6.0.2/24", "r", "10.6.0.254/24")
    for place, gate in (("a", "10.8.0.254"), ("b", "10.9.0.254"), ("c", "10.6.0.254")):
        lab.ip(place, f"route add default via {gate}")
    lab.sysctl("r", "net.ipv4.ip_forward", 1)
    for place in "bc":
        lab.ip(place, f"addr add {VIP}/32 dev lo")
    # SYNs go to b, all else to c.
    lab.ip("r", f"route add {VIP} via 10.9.0.2")
    lab.ip("r", f"route add {VIP} via 10.6.0.2 table 9")
    lab.ip("r", "rule add fwmark 9 table 9")
    lab.nft("r", f"table ip f {{ chain p {{ type filter hook prerouting priority -150; ip daddr {VIP} tcp flags & (syn|ack) == ack meta mark set 9; }}\n}}")
    lab.sysctl("b", "net.ipv4.tcp_synack_retries", 1)
    for place in "abc":
        lab.watch(place)
    lab.server("b", "fld-srv", server, 7810)
    lab.server("c", "fld-srv2", server, 7810)
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ECONNRESET, "it was not reset")
    time.sleep(3.5)


expect = {
    "a": view(life(f"{VIP}:7810", "reset-by-peer", process="fld-cli", closed_by="peer", may={"reset-origin": "likely", "half-open": "likely"}),
                   may={"stray-segment": "certain"}),
    "b": view(life(local=":7810", outcome="reset-by-peer", findings={"retransmission": "certain"}, may={"reset-origin": "likely"})),
    "c": view(findings={"stray-segment": "certain"}, others=()),
}
