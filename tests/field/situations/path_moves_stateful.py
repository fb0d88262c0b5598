# SPDX-License-Identifier: Apache-2.0
"""The path moves to another router in the middle (ECMP that hashes anew), whose stateful firewall does not know the connection and answers by RST.

Reported: kube-router 911, every ECMP change before stateful firewalls: "connection reset by peer" in the middle.
Right: the client was reset by a RST that is not the server's: its TTL is another one. The server goes on.
"""
from field import *

need("nft")


def server(done):
    c = accepted(listen(7604))
    c.sendall(read_all(c, 5))
    done.wait()
    os._exit(0)


def client(ready, moved):
    c = connect(B, 7604)
    c.sendall(b"hello")
    read_all(c, 5)
    ready.set()
    moved.wait()
    error_of(c.sendall, b"again")
    failed = error_of(read_all, c, 5)
    c.close()
    return failed


def play(lab):
    lab.netns("a", "r", "q", "b")
    for number, router in ((8, "r"), (7, "q")):
        lab.link("a", f"10.{number}.0.1/24", router, f"10.{number}.0.254/24")
        lab.link("b", f"10.{number}9.0.2/24", router, f"10.{number}9.0.254/24")
        lab.sysctl(router, "net.ipv4.ip_forward", 1)
        lab.ip(router, f"route add 10.9.0.2 via 10.{number}9.0.2")
        lab.ip(router, f"route add 10.9.0.1 via 10.{number}.0.1")
    lab.ip("a", "addr add 10.9.0.1/32 dev lo")
    lab.ip("b", "addr add 10.9.0.2/32 dev lo")
    lab.ip("a", "route add 10.9.0.2 via 10.8.0.254 src 10.9.0.1")
    lab.ip("b", "route add 10.9.0.1 via 10.89.0.254 src 10.9.0.2")
    lab.nft("q", "table ip f { chain f { type filter hook forward priority 0; ct state new tcp flags & syn == 0 reject with tcp reset; }\n}")
    lab.sysctl("q", "net.netfilter.nf_conntrack_tcp_loose", 0)
    lab.nft("q", "table ip g { chain f { type filter hook forward priority 0; ct state invalid reject with tcp reset; }\n}")
    ready, moved, done = Signal(), Signal(), Signal()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7604, done)
    talking = lab.actor("a", "fld-cli", client, ready, moved)
    ready.wait()
    lab.ip("a", "route replace 10.9.0.2 via 10.7.0.254 src 10.9.0.1")
    moved.set()
    lab.must(talking.result() == errno.ECONNRESET, "no reset")
    for watch in lab.watches:
        watch.stop()
    done.set()


quiet = ["a"]  # the server's FIN at the end goes unanswered
expect = {
    "a": view(life(f"{B}:7604", ("reset-by-outsider", "reset-by-peer"), process="fld-cli", errno=errno.ECONNRESET, rx=5, findings={"reset-origin": "likely"},
                   says=["TTL"], never=["ended by the peer"])),
    "b": view(life(local=":7604", outcome="open", process="fld-srv", rx=5)),
}
