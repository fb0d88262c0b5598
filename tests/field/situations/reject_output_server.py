# SPDX-License-Identifier: Apache-2.0
"""The server's firewall refuses in OUTPUT: its SYN-ACKs never leave (nft reject, ICMP to itself), and the client gets nothing.

Reported: stateless OUTPUT rules on servers; "the listener is there, SYNs arrive, no SYN-ACK on the wire".
Right: at the server: every SYN-ACK was refused by a rule of this machine, by a message to itself; no client failed to acknowledge.
"""
from field import *

need("nft")


def server(done):
    listener = listen(7223)  # noqa: kept open
    done.wait()


def client():
    return error_of(connect, B, 7223, None, 1.6)


def play(lab):
    lab.pair()
    done = Signal()
    lab.server("b", "fld-srv", server, 7223, done)
    lab.nft("b", "table ip f { chain o { type filter hook output priority 0; tcp sport 7223 reject; }\n}")
    lab.watch("a")
    lab.watch("b")
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ETIMEDOUT, "an answer came")
    for watch in lab.watches:
        watch.stop()
    done.set()


expect = {
    "a": view(life(f"{B}:7223", "connect-cancelled", process="fld-cli", may={"retransmission": "certain"})),
    "b": view(life(local=":7223", outcome=("refused", "unreachable"), process="fld-srv", closed_by="local", findings={"tx-not-sent": "certain"},
                   may={"retransmission": "certain"}, says=["port unreachable"])),
}
