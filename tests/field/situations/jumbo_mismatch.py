# SPDX-License-Identifier: Apache-2.0
"""One end of a cable takes jumbo frames (MTU 9000), the other does not (1500), and both advertise the large MSS.

Reported: "ping and ssh log in, then it hangs" after jumbo frames were switched on at one end.
Right: the full-size segments never arrive, and here (a veth) the device itself refuses them: they never left. No process and no peer is to blame.
"""
from field import *

TCP_USER_TIMEOUT = 18


def server():
    c = accepted(listen(7474))
    c.sendall(read_all(c, 5))
    time.sleep(20)


def client():
    c = connect(B, 7474)
    c.sendall(b"hello")
    read_all(c, 5)
    c.setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, 1200)
    c.sendall(b"x" * 60_000)
    failed = error_of(c.recv, 5)
    c.close()
    return failed


def play(lab):
    lab.pair()
    lab.ip("a", "link set to-b mtu 9000")
    for place, interface in (("a", "to-b"), ("b", "to-a")):
        lab.no_offload(place, interface)
        lab.ip(place, f"route change 10.9.0.0/24 dev {interface} advmss 8960")
    lab.watch("a")
    serves = lab.server("b", "fld-srv", server, 7474)
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ETIMEDOUT, "no timeout")
    serves.end()


expect = {"a": view(life(f"{B}:7474", "user-timeout", process="fld-cli", tx=5, rx=5, errno=errno.ETIMEDOUT, findings={"tx-not-sent": "likely"},
                         may={"retransmission": "certain"}, never=["path-dead"]))}
