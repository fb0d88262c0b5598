# SPDX-License-Identifier: Apache-2.0
"""A connection by the addresses of a virtual device at each end: its segments cross that device and the cable below it.
Right: one life at each end, each of 100,000 bytes once, nothing sent again."""
from field import *


def server(port):
    c = accepted(listen(port))
    c.sendall(b"x" * len(read_all(c, 100_000)))
    c.recv(1)
    c.close()


def client(host, port):
    c = connect(host, port)
    c.sendall(b"y" * 100_000)
    read_all(c, 100_000)
    c.close()


def play_over(lab, words, network, port):
    """words(peer, own, other): of `ip link add`, for a device whose cable leads to the namespace `peer`."""
    lab.pair()
    for number, place, peer, own, other in ((1, "a", "b", A, B), (2, "b", "a", B, A)):
        lab.device(place, "over " + words(peer, own, other))
        lab.ip(place, f"addr add {network}.{number}/24 dev over")
        lab.ip(place, "link set over up")
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, port, port)
    lab.actor("a", "fld-cli", client, f"{network}.2", port).result()


def expected(network, port):
    whole = {"tx": 100_000, "rx": 100_000, "wire__tx_bytes": 100_000, "wire__rx_bytes": 100_000, "wire__complete": True,
             "retransmits": 0, "duplicates_in": None}
    return {
        "a": view(life(f"{network}.2:{port}", "completed", process="fld-cli", closed_by="local", **whole)),
        "b": view(life(local=f":{port}", outcome="completed", process="fld-srv", closed_by="peer", **whole)),
    }
