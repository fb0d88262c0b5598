# SPDX-License-Identifier: Apache-2.0
"""Two links between a and b: what a sends goes by the first one, what b sends by the second."""

HERE, THERE = "10.99.0.1", "10.99.0.2"


def two_legs(lab):
    lab.netns("a", "b")
    for number, network in (("1", "10.1.0"), ("2", "10.2.0")):
        lab.link("a", f"{network}.1/24", "b", f"{network}.2/24", number=number)
    for place, own, other, gateway in (("a", HERE, THERE, "10.1.0.2"), ("b", THERE, HERE, "10.2.0.1")):
        lab.shell(place, "for file in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > $file; done")
        lab.ip(place, f"addr add {own}/32 dev lo")
        lab.ip(place, f"route add {other}/32 via {gateway} src {own}")
