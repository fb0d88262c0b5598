# SPDX-License-Identifier: Apache-2.0
"""The client's host translates a service address without conntrack: nft rewrites the destination on the way out, the source on the way in (notrack).

Reported: nftlb's stateless DNAT, eBPF and nft load balancers on the node.
Right: one life, its segments its own, completed; each byte counted once.
"""
from field import *

need("nft")
VIP, SIZE = "10.96.0.1", 50_000


def server():
    c = accepted(listen(7851))
    read_all(c, 5)
    c.sendall(b"x" * SIZE)
    c.close()


def client():
    c = connect(VIP, 7851)
    c.sendall(b"hello")
    size = len(read_all(c))
    c.close()
    return size


def play(lab):
    lab.pair()
    lab.ip("a", f"route add {VIP}/32 dev to-b")
    lab.nft("a", f"""table ip f {{
  chain o {{ type filter hook output priority -300; ip daddr {VIP} notrack ip daddr set {B}; }}
  chain p {{ type filter hook prerouting priority -300; ip saddr {B} tcp sport 7851 notrack ip saddr set {VIP}; }}
}}""")
    mac = lab.shell("b", "cat /sys/class/net/to-a/address").strip()
    lab.shell("a", f"ip neigh replace {VIP} lladdr {mac} dev to-b nud permanent")
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7851)
    lab.must(lab.actor("a", "fld-cli", client).result() == SIZE, "not all")


expect = {
    "a": view(life(f"{VIP}:7851", "completed", process="fld-cli", tx=5, rx=SIZE, wire__complete=True, wire__rx_bytes=SIZE)),
    "b": view(life(local=":7851", outcome="completed", process="fld-srv", tx=SIZE, rx=5)),
}
