# SPDX-License-Identifier: Apache-2.0
"""A firewall rule drops the first SYN and is taken away; the repeated SYN is taken, and the connection is an ordinary one.

Reported: firewalls that are reloaded, allow lists that are filled a moment late (fail2ban, knockd): "the first request takes a second".
Right: one connection on either side, which completed; on the server's side its first SYN was dropped, by that rule.
"""
from field import *

need("nft")


def server():
    c = accepted(listen(7261))
    c.sendall(read_all(c, 5))
    c.close()


def client():
    c = connect(B, 7261)
    c.sendall(b"query")
    read_all(c, 5)
    read_all(c)
    c.close()


def play(lab):
    lab.pair()
    lab.server("b", "fld-srv", server, 7261)
    lab.nft("b", "table ip f { chain i { type filter hook input priority 0; tcp dport 7261 drop; }\n}")
    lab.watch("a")
    lab.watch("b")
    lab.actor("a", "fld-cli", client)
    until(lambda: lab.sockets("a", "state syn-sent"), 10, "the first SYN")
    lab.nft("b", "delete table ip f")


late = {"retransmission": "certain", "slow-handshake": "certain"}
expect = {
    "a": view(life(f"{B}:7261", "completed", process="fld-cli", tx=5, rx=5, findings={"retransmission": "certain"}, may=late)),
    "b": view(life(local=":7261", outcome="completed", process="fld-srv", tx=5, rx=5, findings={"rx-dropped": "certain"}, may=late, says=["1 segment from the peer"])),
}
