# SPDX-License-Identifier: Apache-2.0
"""A host shapes what it sends on its bridge: a segment passes above, waits in the queue, and passes the port when newer ones have passed above.

Reported: hosts with tbf or htb on a bridge, a VLAN or a bond.
Right: each byte is counted once, and nothing was sent again.
"""
from field import *

SIZE = 1_000_000


def server():
    c = accepted(listen(7804))
    read_all(c)
    c.close()


def client():
    c = connect(B, 7804)
    c.sendall(b"x" * SIZE)
    c.close()


def play(lab):
    lab.netns("h", "b")
    lab.link("b", "10.9.0.2/24", "h", [])
    lab.bridge("h", "to-b")
    lab.ip("h", "addr add 10.9.0.100/24 dev br0")
    lab.shell("h", "tc qdisc add dev br0 root tbf rate 20mbit burst 20000 limit 400000")
    lab.watch("h")
    serves = lab.server("b", "fld-srv", server, 7804)
    lab.actor("h", "fld-cli", client).result()
    serves.result()


expect = {"h": view(life(f"{B}:7804", "completed", process="fld-cli", closed_by="local", tx=SIZE, wire__tx_bytes=SIZE, wire__complete=True, retransmits=0))}
