# SPDX-License-Identifier: Apache-2.0
"""SYNs come in by an interface that the route to their sender does not use, and rp_filter is strict.

Reported: multi-homed hosts: "tcpdump shows the SYN, the service does not answer".
Right: the client's connect times out; at the server the SYNs were dropped by the reverse-path filter.
"""
from field import *
from dropped_syn import dropped, play_dropped


def play(lab):
    lab.pair()
    lab.ip("a", "addr add 10.99.0.1/32 dev lo")
    lab.ip("b", "link add other type veth peer name otherp")
    lab.ip("b", "link set other up")
    lab.ip("b", "link set otherp up")
    lab.ip("b", "route add 10.99.0.0/24 dev other")
    lab.resolve("a", "to-b", B)
    lab.sysctl("b", "net.ipv4.conf.all.rp_filter", 1)
    play_dropped(lab, 7212, source="10.99.0.1")


expect = dropped(7212, "RPFILTER")
