# SPDX-License-Identifier: Apache-2.0
"""An IPv6 router whose forward chain rejects a port, and that has no route to another network. No tracepoint shows ICMPv6 that is sent.

Right: refused, and unreachable, at the message that ended it; the router is named. Linux puts off a message that comes while connect() still holds the
socket, so that the SYN comes again: one attempt.
"""
from field import *

need("nft")


def client(address, port):
    return error_of(connect, address, port)


def play(lab):
    lab.netns("a", "r", "b")
    lab.link("a", "fd08::1/64", "r", "fd08::fe/64")
    lab.link("b", "fd09::2/64", "r", "fd09::fe/64")
    lab.resolve("r", "to-a", "fd08::1")
    lab.ip("a", "route add default via fd08::fe")
    lab.ip("b", "route add default via fd09::fe")
    lab.sysctl("r", "net.ipv6.conf.all.forwarding", 1)
    lab.sysctl("r", "net.ipv6.icmp.ratelimit", 0)
    lab.nft("r", "table ip6 f { chain c { type filter hook forward priority 0; tcp dport 7065 reject; }; }")
    lab.watch("r", "--forwarded")
    for address, port, error in ((B6, 7065, errno.ECONNREFUSED), ("fd07::1", 7066, errno.ENETUNREACH)):
        lab.must(lab.actor("a", "fld-cli", client, address, port).result() == error, f"{port} did not fail with {error}")


own = r"sent by this machine \(fd08::fe\)"
expect = {"r": view(
    life(f"[{B6}]:7065", "refused", closed_by="none", findings={"forward-dropped": "certain"}, may={"retransmission": "likely"}, says=[own]),
    life("[fd07::1]:7066", "unreachable", closed_by="none", findings={"forward-dropped": "certain"}, may={"retransmission": "likely"}, says=[own]))}
