# SPDX-License-Identifier: Apache-2.0
"""A server's host is switched off behind a switch: the link stays up, and nobody answers for its address any more.

Reported: "No route to host" out of read() on a connection that had worked for days.
Right: what TCP sends again never leaves this machine, as the next hop does not answer; the kernel gives up with the path's newest error.
"""
from field import *
from lab import run

TCP_USER_TIMEOUT = 18


def server():
    c = accepted(listen(7476))
    c.sendall(read_all(c, 5))
    time.sleep(60)


def client(ready, go):
    c = connect(B, 7476)
    c.sendall(b"hello")
    read_all(c, 5)
    c.setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, 1000)
    ready.set()
    go.wait()
    c.sendall(b"again")
    failed = error_of(c.recv, 5)
    c.close()
    return failed


def play(lab):
    lab.netns("a", "b", "s")
    for place, address in (("a", A), ("b", B)):
        run(["ip", "link", "add", "eth0", "netns", lab.full(place), "type", "veth", "peer", "name", f"to-{place}", "netns", lab.full("s")])
        lab.ip("s", f"link set to-{place} up")
        lab.ip(place, f"addr add {address}/24 dev eth0")
        lab.ip(place, "link set eth0 up")
    lab.bridge("s", "to-a", "to-b")
    for name, value in (("delay_first_probe_time", 0), ("base_reachable_time_ms", 100), ("ucast_solicit", 1), ("mcast_solicit", 1),
                        ("retrans_time_ms", 100)):
        lab.sysctl("a", f"net.ipv4.neigh.eth0.{name}", value)
    lab.watch("a")
    serves = lab.server("b", "fld-srv", server, 7476)
    ready, go = Signal(), Signal()
    asks = lab.actor("a", "fld-cli", client, ready, go)
    ready.wait()
    lab.ip("b", "link set eth0 down")
    time.sleep(0.4)
    go.set()
    lab.must(asks.result() in (errno.EHOSTUNREACH, errno.ETIMEDOUT), "no timeout")
    serves.end()


expect = {"a": view(life(f"{B}:7476", "user-timeout", process="fld-cli", tx=5, rx=5, findings={"tx-not-sent": "certain"}, may={"retransmission": "certain"},
                         never=["path-dead"], says=["next hop did not answer"]))}
