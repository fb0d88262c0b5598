# SPDX-License-Identifier: Apache-2.0
"""Both ends are on this machine; its firewall refuses the client's segments on loopback with a RST, first at the SYN, then in an open connection.

Reported: owner-match rules (--uid-owner) that REJECT local services by a RST.
Right: the RST is the firewall's, not the server's process's; the server's end of the second one is open.
"""
from field import *

need("nft")


def server(done):
    listener = listen(7094, "127.0.0.1")
    c = accepted(listener)
    c.sendall(read_all(c, 5))
    done.wait()
    os._exit(0)


def client(ready, blocked):
    c = connect("127.0.0.1", 7094)
    c.sendall(b"query")
    read_all(c, 5)
    ready.set()
    blocked.wait()
    error_of(c.sendall, b"query")
    c.settimeout(5)
    error_of(c.recv, 5)
    return error_of(connect, "127.0.0.1", 7094)


def play(lab):
    lab.netns("a")
    ready, blocked, done = Signal(), Signal(), Signal()
    lab.watch("a")
    lab.server("a", "fld-srv", server, 7094, done)
    asking = lab.actor("a", "fld-cli", client, ready, blocked)
    ready.wait()
    lab.nft("a", "table ip f { chain i { type filter hook input priority 0; tcp dport 7094 reject with tcp reset; }\n}")
    blocked.set()
    lab.must(asking.result() == errno.ECONNREFUSED, "not refused")
    lab.watches[0].stop()
    done.set()


expect = {"a": view(
    life(remote="127.0.0.1:7094", outcome=("reset-by-local", "reset-by-peer"), process="fld-cli", findings={"reset-origin": "certain"}, may={"retransmission": "certain"}, says=["firewall"],
         never=["RST by fld-srv"]),
    life(local="127.0.0.1:7094", outcome="open", process="fld-srv", findings={"reset-origin": "certain", "rx-dropped": "certain"}, says=["firewall"]),
    life(remote="127.0.0.1:7094", outcome="refused", process="fld-cli", findings={"reset-origin": "certain"}, says=["firewall"]),
    life(local="127.0.0.1:7094", outcome="refused", process="fld-srv", findings={"reset-origin": "certain", "rx-dropped": "certain"}))}
