# SPDX-License-Identifier: Apache-2.0
"""An IPv6 connection is open; then the server's firewall refuses its segments with ICMPv6 messages, until the kernel gives up.

Reported: ip6tables' default REJECT (port unreachable), switched on while connections are open.
Right: the error is that of the message, and its sender is named.
"""
from field import *

need("nft")


def server(done):
    c = accepted(listen(7096, family=socket.AF_INET6))
    c.sendall(read_all(c, 5))
    done.wait()
    os._exit(0)


def client(ready, blocked):
    c = connect(B6, 7096)
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1500)
    c.sendall(b"query")
    read_all(c, 5)
    ready.set()
    blocked.wait()
    c.sendall(b"query")
    c.settimeout(10)
    return error_of(c.recv, 5)


def play(lab):
    lab.pair()
    ready, blocked, done = Signal(), Signal(), Signal()
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7096, done)
    asking = lab.actor("a", "fld-cli", client, ready, blocked)
    ready.wait()
    lab.nft("b", "table ip6 f { chain i { type filter hook input priority 0; tcp dport 7096 reject with icmpv6 port-unreachable; }\n}")
    blocked.set()
    lab.must(asking.result() == errno.ECONNREFUSED, "not ECONNREFUSED")
    lab.watches[0].stop()
    done.set()


expect = {"a": view(life(f"[{B6}]:7096", ("user-timeout", "retransmit-timeout"), process="fld-cli", errno=errno.ECONNREFUSED,
                         findings={"retransmission": "certain"}, says=[rf"ICMPv6 .*sent by {B6}|ICMPv6.*the destination itself"], never=["RST"]))}
