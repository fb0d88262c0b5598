# SPDX-License-Identifier: Apache-2.0
"""Fast Open: the client's host is gone behind its SYN, whose data the server has read: nobody acknowledges the SYN-ACK.

Played because of RFC 7413, 5.1: a SYN with a cookie whose sender is not there.
Right: one connection at the server, whose SYN-ACK was sent again until the kernel gave up. No keep-alive took part.
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
    s = listen(8311)
    s.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 5)
    c = accepted(s)
    c.recv(5)
    failed = error_of(c.recv, 5)
    c.close()
    return failed


def client():
    c = socket.socket()
    error_of(c.sendto, b"hello", MSG_FASTOPEN, (B, 8311))
    c.close()


def play(lab):
    relay = middlebox(lab, box())
    lab.sysctl("a", "net.ipv4.tcp_fastopen", 7)  # also without a cookie
    lab.sysctl("b", "net.ipv4.tcp_fastopen", 0x203)
    lab.sysctl("a", "net.ipv4.tcp_syn_retries", 1)
    lab.sysctl("b", "net.ipv4.tcp_synack_retries", 1)
    lab.watch("a")
    lab.watch("b")
    served = lab.server("b", "fld-srv", server, 8311)
    lab.actor("a", "fld-cli", client).result()
    lab.must(served.result() == errno.ETIMEDOUT, "the server did not give up")
    relay.end()


expect = {
    "a": view(life(f"{B}:8311", "connect-timeout", process="fld-cli", tx=0, rx=0, findings={"retransmission": "certain"})),
    "b": view(life(local=":8311", outcome="retransmit-timeout", process="fld-srv", tx=0, rx=5, errno=errno.ETIMEDOUT,
                   findings={"retransmission": "certain"}, says=["The SYN-ACK waited"], never=["[Kk]eep-alive"])),
}
