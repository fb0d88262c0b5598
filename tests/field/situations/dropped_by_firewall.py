# SPDX-License-Identifier: Apache-2.0
"""The server's own firewall drops SYNs, or answers them: for a port with a listener, and for ports where nobody listens.

Reported: ufw's default deny; "the service is up and listens, and connect() times out".
Right: the listener's request was dropped, by that rule, and nobody says how it ended but that. For the other ports there is no connection, and one
finding for each attempt: addresses, reason, count, and the answer. IPv6's answer is not seen: nobody says that there was none.
"""
from field import *

need("nft")

RULES = """table inet f { chain i { type filter hook input priority 0;
tcp dport { 7251, 7252 } drop
tcp dport 7253 reject with icmpx port-unreachable
tcp dport 7254 reject with tcp reset
}\n}"""


def server(done):
    listeners = [listen(7251), listen(7253, B6, family=socket.AF_INET6)]  # noqa: kept open
    done.wait()


def client():
    found = [error_of(connect, address, port, None, limit) for address, port, limit in
             ((B, 7251, 1.5), (B, 7252, 1.5), (B, 7253, 5), (B, 7254, 5), (B6, 7253, 5))]
    return found


def play(lab):
    lab.pair()
    done = Signal()
    lab.server("b", "fld-srv", server, 7253, done)
    lab.nft("b", RULES)
    lab.watch("b")
    refused, dropped = errno.ECONNREFUSED, errno.ETIMEDOUT
    lab.must(lab.actor("a", "fld-cli", client).result() == [dropped, dropped, refused, refused, refused], "the rules did not behave as arranged")
    done.set()


def found(port, *words):
    return {"type": "finding", "rule": "rx-dropped", "confidence": "certain", "conn": None,
            "text": lambda text: f"to {B}:{port} arrived" in text and "NETFILTER_DROP" in text and all(word in text for word in words)}


expect = {"b": view(
    life(local=f"{B}:7251", outcome="syn-dropped", process="fld-srv", closed_by="none", tx=0, rx=0, findings={"rx-dropped": "certain"},
         may={"retransmission": "certain"}, says=["None of the 2 SYNs reached the listener"], never=["refused", "answered"]),
    life(local=f"[{B6}]:7253", outcome="syn-dropped", process="fld-srv", closed_by="none", findings={"rx-dropped": "certain"}, may={"retransmission": "certain"},
         never=["not answered"]),
    findings={"rx-dropped": "certain"}, events=(found(7252, "2 SYNs"), found(7253, "port unreachable"), found(7254, "RST")))}
