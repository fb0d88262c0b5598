# SPDX-License-Identifier: Apache-2.0
"""A container reaches its host by a link-local address: the bridge's port shows the segments, the socket belongs to the bridge.

Reported: Docker and libvirt hosts with fe80::1 on each bridge; exabgp 1419, FRR 14023.
Right: one connection at the host, whole; nothing is nobody's.
"""
from field import *


def server():
    s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    s.bind(("::", 7101))
    s.listen(4)
    for _ in range(2):
        c = accepted(s)
        c.sendall(read_all(c, 5) * 100)
        c.recv(1)
        c.close()


def client(interface):
    scope = socket.if_nametoindex(interface)
    for _ in range(2):
        c = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        c.settimeout(10)
        c.connect(("fe80::1", 7101, 0, scope))
        c.sendall(b"hello")
        read_all(c, 500)
        c.close()


def play(lab):
    lab.netns("h", "a")
    lab.link("a", "fe80::2/64", "h", [])
    lab.bridge("h", "to-a")
    lab.ip("h", "addr add fe80::1/64 dev br0 nodad")
    lab.watch("a")
    lab.watch("h")
    lab.server("h", "fld-srv", server, 7101)
    lab.actor("a", "fld-cli", client, "to-h")


expect = {
    "a": view(life("[fe80::1]:7101", "completed", process="fld-cli", tx=5, rx=500, wire__complete=True, count=2)),
    "h": view(life(local="[fe80::1]:7101", outcome="completed", process="fld-srv", tx=500, rx=5, wire__tx_bytes=500, wire__rx_bytes=5, wire__complete=True, retransmits=0,
                   count=2), never=["no matching socket"]),
}
