# SPDX-License-Identifier: Apache-2.0
"""A published port leads to a container that is gone, or that the firewall cuts off; a proxy in user space listens on the same port beside NAT.

Reported: moby 32048 (rules that lead to containers that are gone): the client's SYNs go unanswered, and the proxy never sees them.
Right: nothing of it belongs to the proxy. Near miss of no_route_back: there the listener's own kernel drops the SYNs.
"""
from field import *

need("nft")


def proxy(port):
    listener = listen(port)
    listener.settimeout(9)
    return error_of(listener.accept)


def client(port):
    return error_of(connect, "10.8.0.254", port, None, 2.5)


def play(lab):
    lab.routed()
    lab.nft("r", """table ip n {
        chain i { type nat hook prerouting priority -100; ip daddr 10.8.0.254 tcp dport 80 dnat to 10.9.0.77:80; ip daddr 10.8.0.254 tcp dport 81 dnat to 10.9.0.2:81; }
        chain f { type filter hook forward priority 0; tcp dport 81 drop; }
    }""")
    lab.watch("a")
    lab.watch("r")
    for port in (80, 81):
        lab.server("r", f"fld-proxy-{port}", proxy, port, port)
    for port in (80, 81):
        lab.must(lab.actor("a", "fld-cli", client, port).result() == errno.ETIMEDOUT, "it was answered")
    time.sleep(1.5)  # until the kernel has found that the container has no neighbour entry


again = {"retransmission": "certain"}
expect = {
    "a": view(*[life(f"10.8.0.254:{port}", "connect-cancelled", process="fld-cli", findings=again) for port in (80, 81)]),
    "r": view(never=("fld-proxy",)),
}
