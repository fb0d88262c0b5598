# SPDX-License-Identifier: Apache-2.0
"""SYNs come in by an interface that the route to their sender does not use, and rp_filter is strict.

Reported: multi-homed hosts: "tcpdump shows the SYN, the service does not answer".
Right: the client's connect times out; at the server the SYNs were dropped by the reverse-path filter.
"""
from field import *


def server(done):
    s = listen(7212)  # noqa: kept open
    done.wait()


def client():
    s = socket.socket()
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, 1)
    s.bind(("10.99.0.1", 0))
    return error_of(s.connect, (B, 7212))


def play(lab):
    lab.pair()
    lab.ip("a", "addr add 10.99.0.1/32 dev lo")
    lab.ip("b", "link add other type veth peer name otherp")
    lab.ip("b", "link set other up")
    lab.ip("b", "link set otherp up")
    lab.ip("b", "route add 10.99.0.0/24 dev other")
    lab.resolve("a", "to-b", B)
    lab.sysctl("b", "net.ipv4.conf.all.rp_filter", 1)
    lab.watch("a")
    lab.watch("b")
    done = Signal()
    lab.server("b", "fld-srv", server, 7212, done)
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ETIMEDOUT, "no timeout")
    done.set()


expect = {
    "a": view(life(f"{B}:7212", "connect-timeout", process="fld-cli", findings={"retransmission": "certain"})),
    "b": view(life(local=":7212", findings={"rx-dropped": "certain"}, says=["RPFILTER"], may={"retransmission": "certain"})),
}
