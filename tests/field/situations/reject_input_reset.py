# SPDX-License-Identifier: Apache-2.0
"""The server's own firewall answers the SYN with a RST (nft reject with tcp reset in input), though a process listens there.

Reported: iptables' REJECT --reject-with tcp-reset for ports that are not to be seen; "connection refused" while ss shows the listener.
Right: at the server: the SYN arrived and was dropped by a firewall rule, which sent the RST; no TCP of this machine did. At the client: refused.
"""
from field import *

need("nft")


def server(done):
    listener = listen(7091)  # noqa: kept open
    done.wait()


def client():
    return error_of(connect, B, 7091)


def play(lab):
    lab.pair()
    done = Signal()
    lab.server("b", "fld-srv", server, 7091, done)
    lab.nft("b", "table ip f { chain i { type filter hook input priority 0; tcp dport 7091 reject with tcp reset; }\n}")
    lab.watch("a")
    lab.watch("b")
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ECONNREFUSED, "not refused")
    done.set()


expect = {
    "a": view(life(f"{B}:7091", "refused", process="fld-cli", errno=errno.ECONNREFUSED, may={"reset-origin": "likely"})),
    "b": view(life(local=":7091", outcome="refused", process="fld-srv", closed_by="local", findings={"reset-origin": "certain", "rx-dropped": "certain"},
                   says=["local firewall"], never=["nothing listens"])),
}
