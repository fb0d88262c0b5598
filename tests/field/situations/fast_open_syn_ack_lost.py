# SPDX-License-Identifier: Apache-2.0
"""Fast Open: the server takes the request out of the SYN, answers and closes; its SYN-ACK is lost, and sent again.

Played because of RFC 7413, 4.2.2: the Linux child lives beside a request that sends the SYN-ACK.
Right: one connection at the server, completed; the SYN-ACK that is sent again is its own.
"""
from field import *
from middlebox import ACK, SYN, middlebox
from no_cookie import accepted_with_data, no_cookie

need("fast open")


def box():
    lost = []

    def change(frame, to_b):
        if not to_b and frame.flags & (SYN | ACK) == SYN | ACK and not lost:
            lost.append(frame.seq)
            return []
        return None
    return change


def server():
    c = accepted_with_data(8309)
    c.sendall(b"answer")
    c.close()


def client():
    c = socket.socket()
    c.sendto(b"hello", MSG_FASTOPEN, (B, 8309))
    c.settimeout(20)
    answer = read_all(c)
    c.close()
    return answer


def play(lab):
    relay = middlebox(lab, box())
    no_cookie(lab)
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 8309)
    lab.must(lab.actor("a", "fld-cli", client).result() == b"answer", "no answer came")
    time.sleep(0.5)
    relay.end()


expect = {
    "a": view(life(f"{B}:8309", "completed", process="fld-cli", tx=5, rx=6, closed_by="peer",
                   findings={"retransmission": "certain"}, may={"slow-handshake": "certain"})),  # it took a second, about
    "b": view(life(local=":8309", outcome="completed", process="fld-srv", tx=6, rx=5, closed_by="local",
                   findings={"retransmission": "certain"}, says=["SYN-ACK"], may={"slow-handshake": "certain"})),
}
