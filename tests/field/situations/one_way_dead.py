# SPDX-License-Identifier: Apache-2.0
"""Only the way to the server fails, just as the first large message is sent; the server goes on sending its own data.

Reported: asymmetric routing with one broken leg; a firewall rule for one direction.
Right: what the server sends still arrives, again and again, as its ACKs do not: nothing of this side gets through, whatever its size. No
path-mtu-black-hole.
"""
from field import *

need("nft", "ethtool")


def server(done):
    c = accepted(listen(7102))
    read_all(c, 5)
    for _ in range(40):
        if error_of(c.sendall, b"tick"):
            break
        time.sleep(0.1)
    done.wait()
    abort(c)


def client(ready, cut):
    c = connect(B, 7102)
    c.sendall(b"query")
    read_all(c, 4)
    ready.set()
    cut.wait()
    c.sendall(b"z" * 40_000)
    time.sleep(3.5)


def play(lab):
    lab.routed()
    for place, interfaces in (("a", ["to-r"]), ("r", ["to-a", "to-b"]), ("b", ["to-r"])):
        lab.no_offload(place, *interfaces)
    ready, cut, done = Signal(), Signal(), Signal()
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7102, done)
    sending = lab.actor("a", "fld-cli", client, ready, cut)
    ready.wait()
    lab.nft("r", "table ip f { chain f { type filter hook forward priority 0; tcp dport 7102 drop; }\n}")
    cut.set()
    sending.result()
    lab.watches[0].stop()
    done.set()


expect = {"a": view(life(f"{B}:7102", ("open", "completed", "reset-by-local", "aborted"), process="fld-cli", findings={"retransmission": "certain"}, may={"reset-origin": "certain"}))}
