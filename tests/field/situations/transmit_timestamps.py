# SPDX-License-Identifier: Apache-2.0
"""A sender asks for transmit timestamps (SO_TIMESTAMPING).

Reported: PTP and latency tools; linuxptp, gRPC's TCP tracing.
Right: the timestamps come over the error queue. That is no error and no ICMP message.
"""
from field import *


def server():
    c = accepted(listen(7045))
    size = len(read_all(c))
    c.close()
    return size


def client():
    c = connect(B, 7045)
    c.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, 1 << 1 | 1 << 4 | 1 << 7 | 1 << 9)  # TX_SOFTWARE, SOFTWARE, OPT_ID, TX_ACK
    for _ in range(3):
        c.sendall(b"q" * 100)
        time.sleep(0.05)
    notice = error_of(c.recvmsg, 100, 512, socket.MSG_ERRQUEUE)
    c.close()
    return notice


def play(lab):
    lab.pair()
    lab.watch("a")
    served = lab.server("b", "fld-srv", server, 7045)
    lab.must(lab.actor("a", "fld-cli", client).result() == 0, "no timestamp came")
    lab.must(served.result() == 300, "not all bytes came")


expect = {"a": view(life(f"{B}:7045", "completed", process="fld-cli", closed_by="local", tx=300, errno=None), never=["ICMP"])}
