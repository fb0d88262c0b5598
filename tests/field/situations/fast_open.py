# SPDX-License-Identifier: Apache-2.0
"""TCP Fast Open: data in the SYN, accepted at the second connection.

Reported: DNS-collector 233, packetdrill 36, tcpdump 323.
Right: connection 1 asks for a cookie; connection 2 carries 20 bytes in its SYN, and the SYN-ACK acknowledges them (ack = 21). The server's socket
leaves LISTEN by the SYN. Nothing is sent again.
"""
from field import *

need("fast open")


def server():
    s = listen(7010)
    s.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 16)
    for _ in range(2):
        c = accepted(s)
        read_all(c, 20)
        c.sendall(b"reply")
        c.recv(1)
        c.close()


def client():
    for _ in range(2):
        c = socket.socket()
        c.sendto(b"q" * 20, MSG_FASTOPEN, (B, 7010))
        c.recv(10)
        c.close()
        time.sleep(0.2)


def play(lab):
    lab.pair()
    for place in "ab":
        lab.sysctl(place, "net.ipv4.tcp_fastopen", 3)
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7010)
    lab.actor("a", "fld-cli", client).result()


expect = {
    "a": view(life(f"{B}:7010", "completed", process="fld-cli", role="active", closed_by="local", tx=20, rx=5, wire__tx_bytes=20, retransmits=0, count=2),
              events=[{"type": "segment", "flags": "SYN", "len": 20}, {"type": "segment", "flags": "SYN,ACK", "rel_ack": 21}]),
    "b": view(life(local=":7010", outcome="completed", process="fld-srv", role="passive", closed_by="peer", tx=5, rx=20, wire__rx_bytes=20, count=2),
              events=[{"type": "segment", "flags": "SYN,ACK", "rel_ack": 21}],
              no_events=[{"type": "state", "to": "SYN_RECV", "cause": None}]),
}
