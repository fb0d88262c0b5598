# SPDX-License-Identifier: Apache-2.0
"""A connection is open; then the client's own firewall refuses what it sends with its default answer (nft reject: ICMP port unreachable).

Reported: host firewalls and VPN kill switches with REJECT in OUTPUT: connections hang, and end with "connection refused" long after.
Right: what TCP sent never left this machine, and the error is this machine's own message; the peer and the path said nothing.
"""
from field import *
from refused_open import play_refused


def play(lab):
    lab.pair()
    play_refused(lab, B, 7107, "a",
                 "table ip f { chain o { type filter hook output priority 0; tcp dport 7107 reject; }\n}", [errno.ECONNREFUSED, errno.ETIMEDOUT])


expect = {"a": view(life(f"{B}:7107", ("user-timeout", "retransmit-timeout"), process="fld-cli", findings={"tx-not-sent": "certain"},
                         may={"retransmission": "certain"}, never=["sent by 10.9.0.2", "path is dead", "nothing has come"]))}
