# SPDX-License-Identifier: Apache-2.0
"""The last ACK of a handshake with a SYN cookie gets lost, in a protocol in which the server sends first: the client waits for a greeting that nobody sends.

Reported: SMTP, MySQL and SSH clients that hang under load ("possible SYN flooding", tcp_syncookies).
Right: on the server the handshake was never finished, and nothing was kept of it. The client's connection is open.
"""
from field import *

need("nft")


def server():
    listener = listen(7447)
    listener.settimeout(8)
    return error_of(listener.accept)


def client():
    c = connect(B, 7447)
    c.settimeout(2)
    failed = error_of(c.recv, 20)
    c.close()
    return failed


def play(lab):
    lab.pair()
    lab.sysctl("b", "net.ipv4.tcp_syncookies", 2)
    lab.nft("b", "table ip f { chain i { type filter hook prerouting priority -300; tcp dport 7447 tcp flags & (syn | ack) == ack drop; }\n}")
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7447)
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ETIMEDOUT, "a greeting came")


expect = {
    "a": view(life(f"{B}:7447", "open", process="fld-cli", tx=0, rx=0, closed_by="local", findings={"retransmission": "certain"}, may={"path-dead": "likely"})),
    "b": view(life(local=":7447", outcome="unknown", tx=0, rx=0, findings={"rx-dropped": "certain"}, may={"retransmission": "likely"},
                   says=("handshake was not finished",))),
}
