# SPDX-License-Identifier: Apache-2.0
"""IPv6: a link of MTU 1400 behind a router, whose "packet too big" messages arrive for one port and are filtered for another.

Reported: every "works with small requests" of IPv6 tunnels.
Right: as in IPv4: where the message arrives the same bytes go again at once, smaller, by no timer; where not, full-size segments are a black hole.
"""
from field import *

need("nft", "ethtool")
SIZE = 20000


def server(port):
    c = accepted(listen(port, family=socket.AF_INET6))
    c.settimeout(4)
    size = 0
    try:
        while size < SIZE:
            size += len(c.recv(65536))
    except socket.timeout:
        pass
    c.close()
    return size


def client(port):
    c = connect("fd09::2", port)
    c.sendall(b"hi")
    time.sleep(0.1)
    c.sendall(b"z" * (SIZE - 2))
    c.settimeout(4)
    error_of(c.recv, 1)
    c.close()


def play(lab):
    lab.netns("a", "r", "b")
    lab.link("a", "fd08::1/64", "r", "fd08::ff/64")
    lab.link("b", "fd09::2/64", "r", "fd09::ff/64")
    lab.ip("a", "-6 route add default via fd08::ff")
    lab.ip("b", "-6 route add default via fd09::ff")
    lab.sysctl("r", "net.ipv6.conf.all.forwarding", 1)
    lab.no_offload("a", "to-r")
    lab.no_offload("b", "to-r")
    lab.no_offload("r", "to-a", "to-b")
    lab.ip("r", "link set to-b mtu 1400")
    lab.watch("a")
    passes = lab.server("b", "fld-srv", server, 7824, 7824)
    lab.actor("a", "fld-icmp", client, 7824).result()
    lab.must(passes.result() == SIZE, "nothing passed")
    lab.nft("r", "table ip6 f { chain o { type filter hook output priority 0; icmpv6 type packet-too-big drop; }\n}")
    lab.ip("a", "-6 route flush cache")
    stays = lab.server("b", "fld-srv2", server, 7825, 7825)
    lab.actor("a", "fld-hole", client, 7825).result()
    lab.must(stays.result() == 2, "it passed")


expect = {"a": view(life("fd09::2:7824", "completed", process="fld-icmp", tx=SIZE, findings={"retransmission": "certain"},
                         never=["last timeout", "RTO"]),
                    life("fd09::2:7825", process="fld-hole", findings={"path-mtu-black-hole": "likely", "retransmission": "certain"}))}
