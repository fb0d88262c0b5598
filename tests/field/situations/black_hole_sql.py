# SPDX-License-Identifier: Apache-2.0
"""A database session of small messages through a tunnel; then one large statement, which the path's MTU does not take.

Reported: docker/for-linux 594 (Oracle over a VPN below an overlay network): the session opens, the first large statement hangs.
Right: nothing of full size is acknowledged, smaller ones were until then: path-mtu-black-hole, with a doubt, as more bytes had passed before than
one segment has.
"""
from field import *

need("nft", "ethtool")


def server():
    c = accepted(listen(7108))
    for _ in range(40):
        c.sendall(read_all(c, 216))
    c.settimeout(5)
    error_of(read_all, c, 30000)
    abort(c)


def client():
    c = connect(B, 7108)
    for _ in range(40):
        c.sendall(b"s" * 216)
        read_all(c, 216)
    c.sendall(b"z" * 30000)
    time.sleep(3.5)
    os._exit(0)


def play(lab):
    lab.routed()
    lab.ip("r", "link set to-b mtu 1300")
    for place, interfaces in (("a", ["to-r"]), ("r", ["to-a", "to-b"]), ("b", ["to-r"])):
        lab.no_offload(place, *interfaces)
    lab.nft("r", "table ip f { chain o { type filter hook output priority 0; ip protocol icmp drop; }\n}")
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7108)
    lab.actor("a", "fld-cli", client).result()


expect = {"a": view(life(f"{B}:7108", ("open", "completed", "reset-by-local", "reset-by-peer"), process="fld-cli",
                         findings={"path-mtu-black-hole": "likely", "retransmission": "certain"}, may={"reset-origin": "likely"},
                         never=["idle for"]))}
