# SPDX-License-Identifier: Apache-2.0
"""A router refuses SYNs by ICMP: its forward chain rejects (as firewalld and Docker do), it has no route, it publishes a port whose target it rejects. Another
message comes from the server's machine and only passes.

Reported: moby 29330 ("Host is unreachable" from a published port behind a firewall that rejects); every route that is missing behind a VPN.
Right: refused or unreachable at the message, at once; who sent it is named; no end closed it, and nothing timed out.
"""
from field import *

need("nft")


def client(address, port):
    return error_of(connect, address, port)


def play(lab):
    lab.routed()
    lab.sysctl("b", "net.ipv4.icmp_ratelimit", 0)
    lab.sysctl("r", "net.ipv4.icmp_ratelimit", 0)
    lab.ip("r", "route add unreachable 10.7.0.0/24")
    lab.nft("r", """table ip f {
        chain in { type nat hook prerouting priority -100; ip daddr 10.8.0.254 tcp dport 80 dnat to 10.9.0.2:7061; }
        chain c { type filter hook forward priority 0; tcp dport { 7060, 7061 } reject; tcp dport 7062 reject with icmp admin-prohibited; }
    }""")
    lab.nft("b", "table ip f { chain c { type filter hook input priority 0; tcp dport 7063 reject with icmp host-prohibited; }; }")
    lab.watch("r", "--forwarded")
    for address, port, error in (("10.7.0.1", 7064, errno.EHOSTUNREACH),
                                 ("10.6.0.1", 7069, errno.ENETUNREACH), (B, 7060, errno.ECONNREFUSED), ("10.8.0.254", 80, errno.ECONNREFUSED), (B, 7062, errno.EHOSTUNREACH),
                                 (B, 7063, errno.EHOSTUNREACH)):
        lab.must(lab.actor("a", "fld-cli", client, address, port).result() == error, f"{port} did not fail with {error}")


def soon(found):
    return found < 2_000_000_000


def answered(remote, outcome, sender, **more):
    return life(remote, outcome, local="10.8.0.1", closed_by="none", duration_ns=soon, says=[sender], never=["timed out", "still open"], **more)


own = r"sent by this machine \(10\.8\.0\.254\)"
stayed = {"findings": {"forward-dropped": "certain"}, "forwarded__lost_to_server": 1}
expect = {"r": view(
    answered(f"{B}:7060", "refused", own, **stayed), answered("10.8.0.254:80", "refused", own, **stayed),
    answered(f"{B}:7062", "unreachable", own, **stayed), answered(f"{B}:7063", "unreachable", r"the destination itself \(10\.9\.0\.2\)"),
    answered("10.7.0.1:7064", "unreachable", own, **stayed), answered("10.6.0.1:7069", "unreachable", own, **stayed),
    events=({"type": "icmp", "sent": True, "icmp_name": "port unreachable", "icmp_sender": "10.8.0.254"},
            {"type": "icmp", "passed": True, "icmp_sender": B}))}
