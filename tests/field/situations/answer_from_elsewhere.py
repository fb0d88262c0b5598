# SPDX-License-Identifier: Apache-2.0
"""A published address: the way back passes NAT by, and the SYN-ACK comes from the server's own address. The client answers it with a RST.

Reported: kubernetes 122174, "ClusterIP connections reset after SYN-ACK" (br_netfilter missing), load balancers with one arm.
Right: at the client nobody answered from the address that it asked; the SYN-ACKs that came from another one acknowledge its SYN. The server's
request was reset by the client's host, which knows nothing of it.
"""
from field import *
import middlebox

VIP = "10.9.0.100"


def translate(frame, to_b):
    if to_b and frame.data[30:34] == socket.inet_aton(VIP):
        frame.data[30:34] = socket.inet_aton(B)
        old = frame.data[24:26]
        frame.data[24:26] = b"\0\0"
        frame.data[24:26] = middlebox.folded(bytes(frame.data[14:34]))
        return [(to_b, frame.with_checksum())]
    return None


def server():
    s = listen(7809)
    s.settimeout(4)
    return error_of(s.accept)


def client():
    s = socket.socket()
    s.settimeout(2.5)
    return error_of(s.connect, (VIP, 7809))


def play(lab):
    box = middlebox.middlebox(lab, translate)
    mac = lab.shell("b", "cat /sys/class/net/to-r/address").strip()
    lab.shell("a", f"ip neigh replace {VIP} lladdr {mac} dev to-r nud permanent")
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7809)
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ETIMEDOUT, "it was connected")
    time.sleep(0.3)
    box.end()


expect = {
    "a": view(life(f"{VIP}:7809", ("connect-cancelled", "connect-timeout"), process="fld-cli", findings={"retransmission": "certain"}),
                   findings={"stray-segment": "certain"},
              events=({"type": "finding", "rule": "stray-segment", "text": lambda text: f"the SYN that went to {VIP}:7809" in text},)),
    "b": view(life(local=":7809", outcome="reset-by-peer", count=(1, 4), may={"reset-origin": "likely"}, never=["again 0 s after"]),
                   may={"stray-segment": "certain"}),
}
