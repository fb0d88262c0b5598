# SPDX-License-Identifier: Apache-2.0
"""Two hosts hold one address (the standby of a pair, real servers behind direct routing); the standby's interface is promiscuous, and the switch floods.

Reported: keepalived and DSR set-ups with tcpdump or a bridge on the standby.
Right: frames for the other host's hardware address are not this host's: no connection, no refused SYN, no dropped segment here.
"""
from field import *


def server():
    c = accepted(listen(7813))
    c.sendall(read_all(c, 5))
    c.recv(1)
    c.close()


def client():
    c = connect(VIP, 7813)
    c.sendall(b"hello")
    read_all(c, 5)
    time.sleep(0.2)
    c.close()


def unused():
    s = listen(7813)
    s.settimeout(2)
    return error_of(s.accept)


VIP = "10.9.0.100"


def play(lab):
    lab.netns("a", "sw", "b", "c")
    for place, address in (("a", "10.9.0.1/24"), ("b", "10.9.0.2/24"), ("c", "10.9.0.3/24")):
        lab.link(place, address, "sw", [])
    lab.bridge("sw", "to-a", "to-b", "to-c")
    for port in ("to-a", "to-b", "to-c"):
        lab.shell("sw", f"bridge link set dev {port} learning off")  # a hub
    for place in "bc":
        lab.ip(place, f"addr add {VIP}/32 dev lo")
        lab.sysctl(place, "net.ipv4.conf.all.arp_ignore", 1)
    mac = lab.shell("b", "cat /sys/class/net/to-sw/address").strip()
    lab.shell("a", f"ip neigh replace {VIP} lladdr {mac} dev to-sw nud permanent")
    lab.ip("c", "link set to-sw promisc on")
    lab.watch("b")
    lab.watch("c")
    lab.server("b", "fld-srv", server, 7813)
    idle = lab.server("c", "fld-idle", unused, 7813)
    lab.actor("a", "fld-cli", client).result()
    lab.must(idle.result() == errno.ETIMEDOUT, "the standby took it")


expect = {
    "b": view(life(local=":7813", outcome="completed", process="fld-srv", closed_by="peer", tx=5, rx=5)),
    "c": view(never=["dropped", "no socket"]),
}
