# SPDX-License-Identifier: Apache-2.0
"""The first SYN-ACK gets lost on the way; the client's SYN and the server's SYN-ACK are sent again.

Reported: packet loss at connect (1 s, 3 s); slow-handshake said 4.0 s for 1.1 s.
Right: the handshake took 1 s; SYN and SYN-ACK were sent again.
"""
from field import *

need("nft")


def server():
    c = accepted(listen(7049))
    c.recv(1)
    c.close()


def client():
    connect(B, 7049).close()


def play(lab):
    lab.routed()
    lab.nft("r", "table ip f { chain f { type filter hook forward priority 0; tcp sport 7049 tcp flags syn,ack / syn,ack,rst limit rate 1/hour burst 1 packets drop; }\n}")
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7049)
    lab.actor("a", "fld-cli", client)


expect = {
    "a": view(life(f"{B}:7049", "completed", process="fld-cli", handshake_ns=(950_000_000, 1_500_000_000), findings={"retransmission": "certain", "slow-handshake": "certain"},
                   never=["this kernel processed"])),
    "b": view(life(local=":7049", outcome="completed", process="fld-srv", findings={"retransmission": "certain", "slow-handshake": "certain"})),
}
