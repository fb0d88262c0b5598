# SPDX-License-Identifier: Apache-2.0
"""Two hosts connect to each other at the same time (TCP hole punching).

Reported: inet-framework 92, libp2p/specs 389, rustdesk 15940.
Right (RFC 9293, 3.5): one connection; each end goes from SYN_SENT by SYN_RECV to ESTABLISHED, where it meets the other's SYN first; nobody listens and nobody accepts. The first SYNs meet a closed
firewall, so one end's SYN is sent again after 1 s, and the other's unless it has come by then: that is a retransmission of the kernel's.
A SYN that comes before this end has a socket belongs to none: what the firewall did to it is a finding by itself.
"""
from field import *

need("nft")


def peer(here, there):
    s = connect(there, 5000, (here, 5000))
    s.sendall(b"hello")
    s.recv(10)
    time.sleep(0.1 if here == A else 0.3)
    s.close()


def play(lab):
    lab.pair()
    for place in "ab":
        lab.nft(place, "table ip f { chain i { type filter hook input priority 0; tcp flags syn / syn,ack drop; }\n}")
    lab.watch("a")
    lab.watch("b")
    lab.actor("a", "fld-one", peer, A, B)
    lab.actor("b", "fld-two", peer, B, A)
    for place in "ab":
        until(lambda: lab.sockets(place, "state syn-sent"), 5, "both in SYN_SENT")
    for place in "ab":
        lab.shell(place, "nft delete table ip f")


both = {"never": ["accept", "listen"], "tx": 5, "rx": 5, "may": {"retransmission": "certain", "slow-handshake": "certain", "rx-dropped": "certain"}}
expect = {
    "a": view(life(f"{B}:5000", "completed", process="fld-one", closed_by="local", states=lambda s: s[0] == "SYN_SENT" and "ESTABLISHED" in s[:3], **both), may={"rx-dropped": "certain"}, never=["cause not"]),
    "b": view(life(f"{A}:5000", "completed", process="fld-two", closed_by="peer", states=lambda s: s[0] == "SYN_SENT" and "ESTABLISHED" in s[:3], **both), may={"rx-dropped": "certain"}, never=["cause not"]),
}
