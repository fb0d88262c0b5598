# SPDX-License-Identifier: Apache-2.0
"""The server's own firewall answers SYNs itself (nft synproxy), and makes the handshake with the listener later.

Reported: SYNPROXY in front of a public service. Numbers on the wire are not the socket's: conntrack shifts them.
Right: one ordinary connection at each end; what the firewall did is no fault.
"""
from field import *

need("nft")


def server():
    c = accepted(listen(7200))
    c.sendall(read_all(c, 5) * 1000)
    read_all(c)
    c.close()


def client():
    c = connect(B, 7200)
    c.sendall(b"hello")
    read_all(c, 5000)
    c.close()


def play(lab):
    lab.pair()
    lab.nft("b", """table ip s {
  chain p { type filter hook prerouting priority -300; tcp dport 7200 tcp flags syn notrack; }
  chain i { type filter hook input priority 0; tcp dport 7200 ct state invalid,untracked synproxy mss 1460 wscale 7 timestamp sack-perm; tcp dport 7200 ct state invalid drop; }
}
""")
    lab.sysctl("b", "net.netfilter.nf_conntrack_tcp_loose", 0)
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7200)
    lab.actor("a", "fld-cli", client)


expect = {
    "a": view(life(f"{B}:7200", "completed", process="fld-cli", closed_by="local", tx=5, rx=5000)),
    "b": view(life(local=":7200", outcome="completed", process="fld-srv", closed_by="peer", tx=5000, rx=5)),
}
