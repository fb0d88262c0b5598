# SPDX-License-Identifier: Apache-2.0
"""A connection is open; then the client's own firewall refuses what it sends with its default answer (nft reject: ICMP port unreachable).

Reported: host firewalls and VPN kill switches with REJECT in OUTPUT: connections hang, and end with "connection refused" long after.
Right: what TCP sent never left this machine, and the error is this machine's own message; the peer and the path said nothing.
"""
from field import *

need("nft")


def server(done):
    c = accepted(listen(7107))
    c.sendall(read_all(c, 5))
    done.wait()
    os._exit(0)


def client(ready, blocked):
    c = connect(B, 7107)
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1500)
    c.sendall(b"query")
    read_all(c, 5)
    ready.set()
    blocked.wait()
    c.sendall(b"query")
    c.settimeout(10)
    return error_of(c.recv, 5)


def play(lab):
    lab.pair()
    ready, blocked, done = Signal(), Signal(), Signal()
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7107, done)
    asking = lab.actor("a", "fld-cli", client, ready, blocked)
    ready.wait()
    lab.nft("a", "table ip f { chain o { type filter hook output priority 0; tcp dport 7107 reject; }\n}")
    blocked.set()
    lab.must(asking.result() in (errno.ECONNREFUSED, errno.ETIMEDOUT), "neither refused nor timed out")
    lab.watches[0].stop()
    done.set()


expect = {"a": view(life(f"{B}:7107", ("user-timeout", "retransmit-timeout"), process="fld-cli", findings={"tx-not-sent": "certain"},
                         may={"retransmission": "certain"}, never=["sent by 10.9.0.2", "path is dead", "nothing has come"]))}
