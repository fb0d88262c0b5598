# SPDX-License-Identifier: Apache-2.0
"""A connection is open; then the client's own firewall refuses what it sends with a RST (nft reject with tcp reset in output).

Reported: host firewalls with REJECT in OUTPUT switched on while connections are open: "connection reset by peer" at once, the peer never asked.
Right: this machine's firewall ended it; the peer sent nothing, and the server still has the connection open.
"""
from field import *

need("nft")


def server(done):
    c = accepted(listen(7093))
    c.sendall(read_all(c, 5))
    done.wait()
    os._exit(0)


def client(ready, blocked):
    c = connect(B, 7093)
    c.sendall(b"query")
    read_all(c, 5)
    ready.set()
    blocked.wait()
    error_of(c.sendall, b"query")
    c.settimeout(5)
    return error_of(c.recv, 5)


def play(lab):
    lab.pair()
    ready, blocked, done = Signal(), Signal(), Signal()
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7093, done)
    asking = lab.actor("a", "fld-cli", client, ready, blocked)
    ready.wait()
    lab.nft("a", "table ip f { chain o { type filter hook output priority 0; tcp dport 7093 reject with tcp reset; }\n}")
    blocked.set()
    asking.result()
    lab.watches[0].stop()
    done.set()


expect = {"a": view(life(f"{B}:7093", "reset-by-local", process="fld-cli", findings={"reset-origin": "certain", "tx-not-sent": "certain"},
                         may={"retransmission": "certain"}, says=["firewall of this machine|local firewall|own firewall"], never=["peer ended the connection"]))}
