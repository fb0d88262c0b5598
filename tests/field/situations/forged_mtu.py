# SPDX-License-Identifier: Apache-2.0
"""Something on the way answers full-size segments by "fragmentation needed" although they pass: everything is sent twice.

Reported: tunnels and load balancers whose ICMP messages name an MTU that is too small; forged ones (RFC 5927).
Right: the server's kernel sends the data again in smaller pieces, for the path's MTU; the client had it already, by its own kernel's word
(TCP_OLD_DATA, TCP_OLD_SEQUENCE) as by its D-SACK: what nstat counts of either is what is reported.
"""
from field import *
from middlebox import middlebox

SIZE, MTU = 30_000, 1000
COUNTED = {}


def answer(frame, to_b):
    if to_b or frame.length < 1000:
        return None
    return [(False, bytes(frame.data)), (True, frame.icmp_too_big(MTU))]


def server():
    c = accepted(listen(7119))
    c.recv(1)
    c.sendall(b"x" * SIZE)
    c.recv(1)
    c.close()


def client():
    c = connect(B, 7119)
    c.sendall(b"?")
    read_all(c, SIZE)
    time.sleep(0.2)
    c.close()


def play(lab):
    box = middlebox(lab, answer)
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7119)
    lab.actor("a", "fld-cli", client).result()
    time.sleep(0.2)
    COUNTED["repeated"] = lab.nstat("a", "TcpExtTCPDSACKOldSent")
    lab.must(COUNTED["repeated"] >= 8, f"too little was sent twice: {COUNTED}")
    expect["a"].lives[0].says = (fr"spurious: {COUNTED['repeated']} segments had arrived before \([TCP_OLDSEQUNA, ]+\)",)
    box.kill()


expect = {
    "a": view(life(f"{B}:7119", "completed", process="fld-cli", rx=SIZE, findings={"retransmission": "certain"})),
    "b": view(life(local=":7119", outcome="completed", process="fld-srv", tx=SIZE, findings={"retransmission": "certain"}, says=["path MTU"],
                   may={"path-mtu-black-hole": "inconclusive"})),
}
