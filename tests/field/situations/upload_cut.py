# SPDX-License-Identifier: Apache-2.0
"""The path fails in the middle of a bulk upload: full-size segments go unanswered that had passed before.

Reported: Wi-Fi and VPN clients that go away during a backup; the sender retransmits for 15 minutes.
Right: retransmissions that nobody answers. No path-mtu-black-hole: the same sizes had been acknowledged.
"""
from field import *

need("nft", "ethtool")


def server(done):
    c = accepted(listen(7101))
    size = 0
    while size < 300_000:
        size += len(c.recv(65536))
    done.set()
    c.settimeout(6)
    error_of(read_all, c)
    abort(c)


def client(cut):
    c = connect(B, 7101)
    c.sendall(b"z" * 300_000)
    cut.wait()
    c.sendall(b"z" * 30_000)
    time.sleep(3.5)


def play(lab):
    lab.routed()
    for place, interfaces in (("a", ["to-r"]), ("r", ["to-a", "to-b"]), ("b", ["to-r"])):
        lab.no_offload(place, *interfaces)
    done, cut = Signal(), Signal()
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7101, done)
    sending = lab.actor("a", "fld-cli", client, cut)
    done.wait()
    lab.nft("r", "table ip f { chain f { type filter hook forward priority 0; tcp dport 7101 drop; tcp sport 7101 drop; }\n}")
    cut.set()
    sending.result()


expect = {"a": view(life(f"{B}:7101", ("open", "completed"), process="fld-cli", findings={"retransmission": "certain"}, may={"path-dead": "likely"}))}
