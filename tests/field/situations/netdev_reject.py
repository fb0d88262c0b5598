# SPDX-License-Identifier: Apache-2.0
"""A rule at the server's device (nft netdev, ingress) rejects with a RST: first segments of an open connection, then SYNs.

Right: at the client a reset and a refusal. At the server this machine's firewall answered; its socket stays open.
"""
from field import *

need("nft")


def server(done):
    c = accepted(listen(7919))
    c.sendall(read_all(c, 5))
    done.wait()
    os._exit(0)


def client(ready, blocked):
    c = connect(B, 7919)
    c.sendall(b"query")
    read_all(c, 5)
    ready.set()
    blocked.wait()
    c.sendall(b"query")
    c.settimeout(5)
    failed = error_of(c.recv, 5)
    return failed, error_of(connect, B, 7919)


def play(lab):
    lab.pair()
    ready, blocked, done = Signal(), Signal(), Signal()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7919, done)
    asking = lab.actor("a", "fld-cli", client, ready, blocked)
    ready.wait()
    lab.nft("b", "table netdev f { chain i { type filter hook ingress device to-a priority 0; tcp dport 7919 reject with tcp reset; }\n}")
    blocked.set()
    lab.must(asking.result() == (errno.ECONNRESET, errno.ECONNREFUSED), f"it was {asking.result()}")
    for watch in lab.watches:
        watch.stop()
    done.set()


expect = {"a": view(life(f"{B}:7919", "reset-by-peer", process="fld-cli", closed_by="peer", errno=errno.ECONNRESET, may={"reset-origin": "certain", "retransmission": "certain"}),
                    life(f"{B}:7919", "refused", process="fld-cli", may={"reset-origin": "likely"})),
          "b": view(life(local=":7919", outcome="open", process="fld-srv", findings={"reset-origin": "certain", "rx-dropped": "certain"}), may={"rx-dropped": "certain"}, others=("syn-dropped", "refused"))}
