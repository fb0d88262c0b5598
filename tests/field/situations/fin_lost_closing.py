# SPDX-License-Identifier: Apache-2.0
"""The client closes and its FIN is lost; the server, which never learns of it, closes three seconds later. Packets are not watched.

Reported: one-way outages beside idle timeouts; a report that blames both where one side had closed long before.
Right: the client closed first, by seconds, whether or not packets are watched.
"""
from field import *

need("nft")


def server(goes):
    c = accepted(listen(7928))
    c.sendall(read_all(c, 5))
    goes.wait()
    c.close()


def client(ready, cut):
    c = connect(B, 7928)
    c.sendall(b"hello")
    read_all(c, 5)
    ready.set()
    cut.wait()
    c.close()


def play(lab):
    lab.pair()
    ready, cut, goes = Signal(), Signal(), Signal()
    lab.watch("a")
    lab.watch("a", "--wire", "none", name="kernel")
    serving = lab.server("b", "fld-srv", server, 7928, goes)
    closing = lab.actor("a", "fld-cli", client, ready, cut)
    ready.wait()
    lab.nft("b", "table ip f { chain i { type filter hook prerouting priority -300; tcp dport 7928 drop; }\n}")
    cut.set()
    closing.result()
    time.sleep(3)
    goes.set()
    serving.result()
    until(lambda: lab.sockets("a", "state closing dport = :7928"), 5, "the client to get the FIN")


one = life(f"{B}:7928", "open", process="fld-cli", closed_by="local", findings={"retransmission": "certain"})
expect = {"a": view(one), "kernel": view(one)}
