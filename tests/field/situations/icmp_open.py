# SPDX-License-Identifier: Apache-2.0
"""A connection is open; then a router on the way refuses its segments with ICMP messages (admin-prohibited), until the kernel gives up.

Reported: firewall rules and routes that go while connections are open: "no route to host" out of read() after minutes.
Right: not acknowledged any more since then; the error is that of the router's message, and the router is named.
"""
from field import *

need("nft")


def server(done):
    c = accepted(listen(7095))
    c.sendall(read_all(c, 5))
    done.wait()
    os._exit(0)


def client(ready, blocked):
    c = connect(B, 7095)
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1500)
    c.sendall(b"query")
    read_all(c, 5)
    ready.set()
    blocked.wait()
    c.sendall(b"query")
    c.settimeout(10)
    return error_of(c.recv, 5)


def play(lab):
    lab.routed()
    ready, blocked, done = Signal(), Signal(), Signal()
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7095, done)
    asking = lab.actor("a", "fld-cli", client, ready, blocked)
    ready.wait()
    lab.nft("r", "table ip f { chain f { type filter hook forward priority 0; tcp dport 7095 reject with icmp admin-prohibited; }\n}")
    blocked.set()
    lab.must(asking.result() == errno.EHOSTUNREACH, "not EHOSTUNREACH")
    lab.watches[0].stop()
    done.set()


expect = {"a": view(life(f"{B}:7095", ("user-timeout", "retransmit-timeout"), process="fld-cli", errno=errno.EHOSTUNREACH,
                         findings={"retransmission": "certain"}, says=[r"10\.8\.0\.254"], never=["RST"]))}
