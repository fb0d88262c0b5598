# SPDX-License-Identifier: Apache-2.0
"""A host whose connection goes by a ipvlan device (L2): the segments cross that device and the cable below it.

Reported: docker's and cilium's ipvlan networks: each packet is seen on two devices.
Right: one life, each byte once, nothing came twice.
"""
from field import *


def server():
    c = accepted(listen(7332))
    c.sendall(b"x" * len(read_all(c, 100_000)))
    c.recv(1)
    c.close()


def client():
    c = connect("10.79.0.2", 7332)
    c.sendall(b"y" * 100_000)
    read_all(c, 100_000)
    c.close()


def play(lab):
    lab.pair()
    for place, other, number in (("a", "b", 1), ("b", "a", 2)):
        lab.device(place, f"mv link to-{other} type ipvlan mode l2")
        lab.ip(place, f"addr add 10.79.0.{number}/24 dev mv")
        lab.ip(place, "link set mv up")
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7332)
    lab.actor("a", "fld-cli", client).result()


whole = {"wire__tx_bytes": 100_000, "wire__rx_bytes": 100_000, "wire__complete": True, "retransmits": 0, "duplicates_in": None}
expect = {
    "a": view(life("10.79.0.2:7332", "completed", process="fld-cli", closed_by="local", tx=100_000, rx=100_000, **whole)),
    "b": view(life(local=":7332", outcome="completed", process="fld-srv", closed_by="peer", tx=100_000, rx=100_000, **whole)),
}
