# SPDX-License-Identifier: Apache-2.0
"""Fast Open without a cookie: the first SYN makes the server's connection, whose SYN-ACK is not acknowledged yet."""
from field import *
from middlebox import SYN, middlebox


def no_cookie(lab):
    lab.sysctl("a", "net.ipv4.tcp_fastopen", 7)
    lab.sysctl("b", "net.ipv4.tcp_fastopen", 0x203)


def accepted_with_data(port):
    """What a server has accepted, of which the SYN's five bytes are read."""
    s = listen(port)
    s.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 5)
    c = accepted(s)
    c.recv(5)
    return c


def _only_the_first_syn():
    seen = []

    def change(frame, to_b):
        if seen:
            return []
        if to_b and frame.flags & SYN:
            seen.append(frame.seq)
        return None
    return change


def play_client_gone(lab, server, port):
    """The client's host is gone behind its SYN, until the kernel gives the SYN-ACK up. What server() returns."""
    def client():
        c = socket.socket()
        error_of(c.sendto, b"hello", MSG_FASTOPEN, (B, port))
        c.close()

    relay = middlebox(lab, _only_the_first_syn())
    no_cookie(lab)
    lab.sysctl("a", "net.ipv4.tcp_syn_retries", 1)
    lab.sysctl("b", "net.ipv4.tcp_synack_retries", 1)
    lab.watch("a")
    lab.watch("b")
    served = lab.server("b", "fld-srv", server, port)
    lab.actor("a", "fld-cli", client).result()
    returned = served.result()
    until(lambda: not lab.sockets("b", f"sport = :{port}"), 20, "the kernel to give the SYN-ACK up")
    relay.end()
    return returned


def client_in_vain(port):
    return view(life(f"{B}:{port}", "connect-timeout", process="fld-cli", tx=0, rx=0, findings={"retransmission": "certain"}))


def syn_ack_waited(port, **more):
    return view(life(local=f":{port}", outcome="retransmit-timeout", process="fld-srv", rx=5, findings={"retransmission": "certain"},
                     says=["The SYN-ACK waited"], never=["[Kk]eep-alive"], **more))
