# SPDX-License-Identifier: Apache-2.0
"""A connection over a VLAN interface: each segment passes two devices, on one of them with a tag.

Reported: tcpdump on "any"; a segment seen twice is no retransmission.
Right: one connection, each byte counted once.
"""
from field import *

need("nginx", "curl")


def play(lab):
    lab.pair()
    try:
        lab.ip("a", "link add link to-b name try type vlan id 6")
    except NotPlayed:
        raise Skip("this kernel has no VLAN interfaces") from None
    for place, interface, address in (("a", "to-b", "10.7.0.1/24"), ("b", "to-a", "10.7.0.2/24")):
        lab.ip(place, f"link add link {interface} name v7 type vlan id 7")
        lab.ip(place, f"addr add {address} dev v7")
        lab.ip(place, "link set v7 up")
    lab.file("file", "x" * 200_000)
    nginx(lab, "b", 8080, f"server {{ listen 8080; location / {{ root {lab.folder}; }} }}")
    lab.watch("a")
    lab.watch("b")
    lab.must(curl(lab, "a", "-o", "/dev/null", "http://10.7.0.2:8080/file")[0] == 0, "no answer")


expect = {
    "a": view(life("10.7.0.2:8080", "completed", process="curl", rx=(200_000, 201_000), wire__rx_bytes=(200_000, 201_000), wire__complete=True, retransmits=0)),
    "b": view(life(local="10.7.0.2:8080", outcome="completed", process="nginx", tx=(200_000, 201_000), wire__tx_bytes=(200_000, 201_000), wire__complete=True, retransmits=0)),
}
