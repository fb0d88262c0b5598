# SPDX-License-Identifier: Apache-2.0
"""A router whose firewall drops in its forward chain: one port from the first SYN on, one that NAT publishes, one only once it is open.

Reported: Docker's FORWARD policy DROP (moby 14041, "connection timed out" through a published port); a rule that is added while connections live.
Right: the segments came in and never left, dropped by a firewall rule: the kernel's own reason.
"""
from field import *

need("nft")


def client(address, port):
    return error_of(connect, address, port, None, 2.5)


def talker(ready, go):
    c = connect(B, 7052)
    c.sendall(b"hello")
    read_all(c, 5)
    ready.set()
    go.wait()
    c.settimeout(1.5)
    c.sendall(b"world")
    return error_of(read_all, c, 5)


def server():
    c = accepted(listen(7052))
    c.sendall(read_all(c, 5))
    c.settimeout(2)
    error_of(read_all, c, 5)


def play(lab):
    lab.routed()
    lab.nft("r", """table ip f {
        chain in { type nat hook prerouting priority -100; ip daddr 10.8.0.254 tcp dport 80 dnat to 10.9.0.2:7051; }
        chain c { type filter hook forward priority 0; tcp dport { 7050, 7051 } drop; }
    }""")
    ready, go = Signal(), Signal()
    lab.watch("r", "--forwarded")
    for address, port in ((B, 7050), ("10.8.0.254", 80)):
        lab.must(lab.actor("a", "fld-cli", client, address, port).result() == errno.ETIMEDOUT, "an answer came")
    lab.server("b", "fld-srv", server, 7052)
    talks = lab.actor("a", "fld-talk", talker, ready, go)
    ready.wait()
    lab.nft("r", "add rule ip f c tcp dport 7052 drop")
    go.set()
    lab.must(talks.result() == errno.ETIMEDOUT, "an answer came")


def some(found):
    return found >= 2


expect = {"r": view(
    life(f"{B}:7050", "open", findings={"forward-dropped": "certain"}, may={"retransmission": "likely"}, forwarded__lost_to_server=some, says=["firewall"]),
    life("10.8.0.254:80", "open", findings={"forward-dropped": "certain"}, may={"retransmission": "likely"}, forwarded__lost_to_server=some, says=["firewall"]),
    life(f"{B}:7052", ("open", "reset-by-local"), findings={"forward-dropped": "certain"}, may={"retransmission": "likely", "reset-origin": "likely"}, forwarded__joined=True,
         forwarded__lost_to_server=some))}
