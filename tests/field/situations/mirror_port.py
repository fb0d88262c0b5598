# SPDX-License-Identifier: Apache-2.0
"""A router copies all that passes to a monitor (tc's mirred, a SPAN port): the copies are nobody's, and lead nowhere.

Reported: tc mirred for intrusion detection (Suricata, Zeek); clouds' packet mirroring.
Right: one connection between to-a and to-b, of 3,000 bytes; nothing was sent twice.
"""
from field import *

need("tc")
MIRROR = "action mirred egress mirror dev to-m"


def server():
    c = accepted(listen(7149))
    read_all(c)
    c.close()


def client():
    c = connect(B, 7149)
    c.sendall(b"x" * 3000)
    c.shutdown(socket.SHUT_WR)
    c.recv(1)
    c.close()


def play(lab):
    lab.routed()
    lab.netns("m")
    lab.link("m", "10.7.0.2/24", "r", "10.7.0.1/24")
    lab.shell("r", "tc qdisc add dev to-a clsact")
    for way in ("ingress", "egress"):
        lab.shell("r", f"tc filter add dev to-a {way} protocol ip u32 match ip protocol 6 0xff {MIRROR}")
    lab.watch("r", "--forwarded")
    lab.server("b", "fld-srv", server, 7149)
    lab.actor("a", "fld-cli", client).result()


expect = {"r": view(life(f"{B}:7149", "completed", tx=3000, wire__tx_bytes=3000, says=[r"to-a \(client\) and to-b \(server\)"], never=["to-m"]))}
