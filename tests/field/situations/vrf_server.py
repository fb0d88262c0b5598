# SPDX-License-Identifier: Apache-2.0
"""A server in a VRF: its interface is a slave of the VRF's device, and its socket is bound to that.

Reported: frr and cumulus users: each packet is seen on the interface and on the VRF's device.
Right: one life at each end, each byte once, nothing came twice.
"""
from field import *


def server():
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"blue")
    s.bind(("", 7331))
    s.listen(5)
    c = accepted(s)
    c.sendall(b"x" * len(read_all(c, 100_000)))
    c.recv(1)
    c.close()


def client():
    c = connect(B, 7331)
    c.sendall(b"y" * 100_000)
    read_all(c, 100_000)
    c.close()


def play(lab):
    lab.pair()
    lab.device("b", "blue type vrf table 10")
    lab.ip("b", "link set blue up")
    lab.ip("b", "link set to-a master blue")
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7331)
    lab.actor("a", "fld-cli", client).result()


whole = {"wire__tx_bytes": 100_000, "wire__rx_bytes": 100_000, "retransmits": 0, "duplicates_in": None}
expect = {
    "a": view(life(f"{B}:7331", "completed", process="fld-cli", closed_by="local", tx=100_000, rx=100_000, **whole)),
    "b": view(life(local=":7331", outcome="completed", process="fld-srv", closed_by="peer", tx=100_000, rx=100_000, **whole)),
}
