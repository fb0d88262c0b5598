# SPDX-License-Identifier: Apache-2.0
"""20,000 bytes through a router to a link of MTU 1200; with or without the router's ICMP messages."""
from field import *

need("nft", "ethtool")
SIZE = 20000


def server():
    c = accepted(listen(7014))
    c.settimeout(5)
    size = 0
    try:
        while size < SIZE:
            size += len(c.recv(65536))
    except socket.timeout:
        pass
    c.close()
    return size


def client():
    c = connect(B, 7014)
    c.sendall(b"hi")
    time.sleep(0.1)
    c.sendall(b"z" * (SIZE - 2))
    c.settimeout(5)
    error_of(c.recv, 1)
    c.close()


def play_transfer(lab, hole, probing=False):
    lab.routed()
    lab.ip("r", "link set to-b mtu 1200")
    lab.no_offload("a", "to-r")
    lab.no_offload("b", "to-r")
    lab.no_offload("r", "to-a", "to-b")
    if hole:
        lab.nft("r", "table ip f { chain o { type filter hook output priority 0; ip protocol icmp drop; }\n}")
    if probing:
        lab.sysctl("a", "net.ipv4.tcp_mtu_probing", 1)
        lab.sysctl("a", "net.ipv4.tcp_retries1", 1)  # sooner
    lab.watch("a")
    served = lab.server("b", "fld-srv", server, 7014)
    lab.actor("a", "fld-cli", client).result()
    lab.must(served.result() == (2 if hole and not probing else SIZE), "the path did not behave as arranged")
