# SPDX-License-Identifier: Apache-2.0
"""curl gives up (--connect-timeout) a connection whose SYNs never left: the own firewall drops them (IPAddressDeny=, an egress rule).

Reported: "connection timed out" where nobody thinks of the client's own host; connect_unsent with a client that waits less long than the kernel.
Right: the client gave up, and none of its SYNs had left. Where one did leave, no answer had come to it.
"""
from field import *

need("nft", "curl")
DROP = "table ip f { chain o { type filter hook output priority 0; tcp dport 7445 drop; tcp dport 7446 limit rate over 1/minute burst 1 packets drop; }\n}"


def play(lab):
    lab.pair()
    lab.nft("a", DROP)
    lab.nft("b", "table ip f { chain i { type filter hook prerouting priority -300; tcp dport 7446 drop; }\n}")
    lab.watch("a")
    for port in (7445, 7446):
        code, _ = curl(lab, "a", "--connect-timeout", "2.5", f"http://{B}:{port}/")
        lab.must(code == 28, f"curl ended with {code}")


findings = {"retransmission": "certain", "tx-not-sent": "certain"}
expect = {"a": view(
    life(f"{B}:7445", "connect-cancelled", process="curl", findings=findings, says=("none of its . SYNs left this machine: dropped by netfilter",)),
    life(f"{B}:7446", "connect-cancelled", process="curl", findings=findings, says=("no answer had come to the SYN",)))}
