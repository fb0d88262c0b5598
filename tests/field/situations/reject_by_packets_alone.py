# SPDX-License-Identifier: Apache-2.0
"""A host refuses connections by ICMP messages, and only packets are seen (--kernel off).

Reported: nft's and iptables' default REJECT.
Right: the message that answers the newest SYN ends the attempt, refused or unreachable, and is named with its sender. Near miss: one about the first
SYN of a client that asks again (connect() holds the socket while it comes), and is answered then.
"""
from field import *

need("nft")
PORTS = {7591: "refused", 7592: "unreachable", 7593: "completed"}


def server():
    c = accepted(listen(7593, family=socket.AF_INET6))
    c.sendall(b"x")
    c.close()


def client(port):
    c = connect(B6, port)
    read_all(c, 1)
    c.close()


def play(lab):
    lab.pair()
    lab.nft("b", """table inet f { chain i { type filter hook input priority 0;
        tcp dport 7591 reject with icmpx port-unreachable
        tcp dport 7592 reject with icmpx admin-prohibited
        tcp dport 7593 tcp flags & (syn | ack) == syn limit rate 1/hour burst 1 packets reject with icmpx host-unreachable
    }
    }""")
    lab.watch("a", "--kernel", "off")
    lab.server("b", "fld-srv", server, 7593)
    for port, outcome in PORTS.items():
        failed = lab.actor("a", "fld-cli", error_of, client, port).result()
        lab.must(bool(failed) == (outcome != "completed"), f"port {port}: {failed}")


again = {"findings": {"retransmission": "likely"}}
message = {"closed_by": "none", "says": [r"sent by the destination itself"], "never": ["errno", "RST"]}
expect = {"a": view(life(f"[{B6}]:7591", "refused", **message, **again), life(f"[{B6}]:7592", "unreachable", **message, **again),
                    life(f"[{B6}]:7593", "completed", rx=1, findings={"retransmission": "likely", "slow-handshake": "certain"}))}
