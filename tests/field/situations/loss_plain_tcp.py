# SPDX-License-Identifier: Apache-2.0
"""Loss behind a router, without SACK, timestamps and window scaling, as old stacks and some appliances have it.

Right: retransmissions on both sides, nothing called late or a copy; the bytes are right.
"""
from field import *

need("nft")
SIZE = 600_000


def server():
    c = accepted(listen(7214))
    read_all(c)
    c.close()


def client():
    c = connect(B, 7214)
    c.sendall(b"x" * SIZE)
    c.shutdown(socket.SHUT_WR)
    read_all(c)
    c.close()


def play(lab):
    lab.routed()
    for place, interfaces in (("a", ["to-r"]), ("r", ["to-a", "to-b"]), ("b", ["to-r"])):
        lab.no_offload(place, *interfaces)
    for name in ("tcp_sack", "tcp_timestamps", "tcp_window_scaling"):
        lab.sysctl("a", f"net.ipv4.{name}", 0)
    lab.nft("r", "table ip f { chain f { type filter hook forward priority 0; tcp dport 7214 meta length > 1000 numgen inc mod 40 == 20 drop; }\n}")
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7214)
    lab.actor("a", "fld-cli", client)


lost = lambda n: n >= 5  # noqa: E731
expect = {
    "a": view(life(f"{B}:7214", "completed", process="fld-cli", closed_by="local", tx=SIZE, retransmits=lost, findings={"retransmission": "certain"})),
    "b": view(life(local=":7214", outcome="completed", process="fld-srv", closed_by="peer", rx=SIZE, retransmits_in=lost, findings={"retransmission": "certain"})),
}
