# SPDX-License-Identifier: Apache-2.0
"""The network delivers every IPv6 packet towards the client twice.

Reported: bonds and mirror ports (node_pcap 100, CVEX 6); IPv6 has no identification.
Right: nobody sent anything again. The copies have the same timestamp and come at once, or behind what the socket has already.
"""
from field import *

need("nft")
CLIENT, SERVER = "fd08::1", "fd09::2"


def server():
    c = accepted(listen(7097, "::", family=socket.AF_INET6))
    for _ in range(5):
        c.sendall(read_all(c, 5) * 200)
    c.recv(1)
    c.close()


def client():
    c = connect(SERVER, 7097)
    for _ in range(5):
        c.sendall(b"hello")
        read_all(c, 1000)
        time.sleep(0.02)
    c.close()


def play(lab):
    lab.netns("a", "r", "b")
    lab.link("a", f"{CLIENT}/64", "r", "fd08::fe/64")
    lab.link("b", f"{SERVER}/64", "r", "fd09::fe/64")
    lab.ip("a", "-6 route add default via fd08::fe")
    lab.ip("b", "-6 route add default via fd09::fe")
    lab.sysctl("r", "net.ipv6.conf.all.forwarding", 1)
    lab.nft("r", f"table ip6 f {{ chain p {{ type filter hook postrouting priority 0; tcp sport 7097 dup to {CLIENT} device to-a; }}\n}}")
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7097)
    lab.actor("a", "fld-cli", client)


expect = {
    "a": view(life(f"[{SERVER}]:7097", "completed", process="fld-cli", closed_by="local", tx=25, rx=5000, retransmits=0, retransmits_in=0,
                   duplicates_in=lambda n: n >= 5, may={"out-of-window": "likely", "rx-dropped": "likely"})),
    "b": view(life(local=":7097", outcome="completed", process="fld-srv", closed_by="peer", tx=5000, rx=25, wire__tx_bytes=5000, retransmits=0, retransmits_in=0)),
}
