# SPDX-License-Identifier: Apache-2.0
"""A policy rule refuses the source ports that connect() chooses: the way was found without a port, and is refused with it.

Reported: `ip rule ... sport` of multi-homed hosts and VPN kill switches: connect() fails with EACCES, ENETUNREACH or EINVAL at once.
Right: no SYN was made, and there were ports enough: no port-exhaustion, and no EADDRNOTAVAIL, which nobody got. Where the range
is used up it is that.
"""
from field import *

PORTS = "40000-40100"
REFUSED = {7924: ("prohibit", errno.EACCES), 7925: ("unreachable", errno.ENETUNREACH), 7926: ("blackhole", errno.EINVAL)}


def client():
    return [error_of(connect, B, port) for port in REFUSED]


def without_port():
    taken = [socket.socket() for _ in range(2)]
    for i, s in enumerate(taken):
        s.bind(("", 40200 + i))
        s.listen(1)
    return error_of(connect, B, 7927)


def play(lab):
    lab.pair()
    lab.sysctl("a", "net.ipv4.ip_local_port_range", "40000 40100")
    for port, (how, _) in REFUSED.items():
        lab.ip("a", f"rule add pref 5 ipproto tcp sport {PORTS} dport {port} {how}")
    lab.watch("a")
    lab.must(lab.actor("a", "fld-cli", client).result() == [error for _, error in REFUSED.values()], "not refused so")
    lab.sysctl("a", "net.ipv4.ip_local_port_range", "40200 40201")
    lab.must(lab.actor("a", "fld-full", without_port).result() == errno.EADDRNOTAVAIL, "a port was left")


expect = {"a": view(
    *[life(f"{B}:{port}", "connect-unsent", process="fld-cli", closed_by="none", says=["before it made a SYN"],
           never=["EADDRNOTAVAIL", "no free local port"]) for port in REFUSED],
    life(f"{B}:7927", "no-local-port", process="fld-full", errno=errno.EADDRNOTAVAIL, findings={"port-exhaustion": "certain"}))}
