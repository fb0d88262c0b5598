# SPDX-License-Identifier: Apache-2.0
"""Fast Open: the client's host is gone behind its SYN, and the server has answered and closed: nobody acknowledges the SYN-ACK.

Played because of RFC 7413, 5.1: a SYN with a cookie whose sender is not there.
Right: what waited is the SYN-ACK; the answer and the FIN are behind it.
"""
from field import *
from middlebox import SYN, middlebox

need("fast open")


def box():
    seen = []

    def change(frame, to_b):
        if seen:
            return []
        if to_b and frame.flags & SYN:
            seen.append(frame.seq)
        return None
    return change


def server():
    s = listen(8313)
    s.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 5)
    c = accepted(s)
    c.recv(5)
    c.send(b"answer")
    c.close()


def client():
    c = socket.socket()
    error_of(c.sendto, b"hello", MSG_FASTOPEN, (B, 8313))
    c.close()


def play(lab):
    relay = middlebox(lab, box())
    lab.sysctl("a", "net.ipv4.tcp_fastopen", 7)  # also without a cookie
    lab.sysctl("b", "net.ipv4.tcp_fastopen", 0x203)
    lab.sysctl("a", "net.ipv4.tcp_syn_retries", 1)
    lab.sysctl("b", "net.ipv4.tcp_synack_retries", 1)
    lab.watch("a")
    lab.watch("b")
    served = lab.server("b", "fld-srv", server, 8313)
    lab.actor("a", "fld-cli", client).result()
    served.result()
    time.sleep(8)  # until the kernel gives up
    relay.end()


expect = {
    "a": view(life(f"{B}:8313", "connect-timeout", process="fld-cli", tx=0, rx=0, findings={"retransmission": "certain"})),
    "b": view(life(local=":8313", outcome="retransmit-timeout", process="fld-srv", rx=5, wire__tx_bytes=6,
                   findings={"retransmission": "certain"}, says=["The SYN-ACK waited"], never=["[Kk]eep-alive"])),
}
