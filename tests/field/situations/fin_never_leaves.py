# SPDX-License-Identifier: Apache-2.0
"""A firewall's own rule drops the FINs that leave (a "new, not syn" rule gone wrong): the close is never told to the peer.

Reported: half-open connections that pile up at servers behind hand-written OUTPUT rules.
Right: this side closed, and its FIN never left this machine. The peer cannot know.
"""
from field import *

need("nft")


def server(done):
    c = accepted(listen(7646))
    c.sendall(read_all(c, 5))
    done.wait()
    os._exit(0)


def client():
    c = connect(B, 7646)
    c.sendall(b"hello")
    read_all(c, 5)
    c.close()


def play(lab):
    lab.pair()
    lab.sysctl("a", "net.ipv4.tcp_orphan_retries", 2)
    done = Signal()
    lab.nft("a", "table ip f { chain o { type filter hook output priority 0; tcp dport 7646 tcp flags & fin == fin drop; }\n}")
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7646, done)
    lab.actor("a", "fld-cli", client).result()
    until(lambda: not lab.sockets("a", "dport = :7646"), 15, "the orphan's end")
    time.sleep(0.3)
    for watch in lab.watches:
        watch.stop()
    done.set()


expect = {"a": view(life(f"{B}:7646", ("retransmit-timeout", "unknown"), process="fld-cli", tx=5, rx=5, findings={"tx-not-sent": "certain"},
                         may={"retransmission": "certain", "half-open": "likely"}, says=["FIN could not be sent"], never=["path is dead", "nothing has come", "the peer acknowledged it"]))}
