# SPDX-License-Identifier: Apache-2.0
"""The server's own firewall refuses the SYN with its default answer (nft reject in input: ICMP port unreachable), once; then it only drops.

Reported: hosts whose firewall REJECTs a port on which a process listens: "connection refused", and the server's log is empty.
Right: at the server: dropped by a firewall rule, which refused it by an ICMP message: refused by this machine. Of the one that is only dropped
nobody says that it was refused.
"""
from field import *

need("nft")


def server(done):
    listeners = [listen(port) for port in (7221, 7222)]  # noqa: kept open
    done.wait()


def client(port, limit=None):
    return error_of(connect, B, port, None, limit or 10)


def play(lab):
    lab.pair()
    done = Signal()
    lab.server("b", "fld-srv", server, 7222, done)
    lab.nft("b", """table ip f { chain i { type filter hook input priority 0; tcp dport 7221 reject; tcp dport 7222 drop; }\n}""")
    lab.watch("a")
    lab.watch("b")
    lab.must(lab.actor("a", "fld-cli", client, 7221).result() == errno.ECONNREFUSED, "not refused")
    lab.must(lab.actor("a", "fld-cli", client, 7222, 0.4).result() == errno.ETIMEDOUT, "not dropped")
    done.set()


expect = {
    "a": view(life(f"{B}:7221", "refused", process="fld-cli", errno=errno.ECONNREFUSED),
              life(f"{B}:7222", "connect-cancelled", process="fld-cli")),
    "b": view(life(local=":7221", outcome="refused", process="fld-srv", closed_by="local", findings={"rx-dropped": "certain"}, says=["port unreachable"], never=["nothing listens"]),
              life(local=":7222", outcome="syn-dropped", process="fld-srv", findings={"rx-dropped": "certain"}, never=["refused", "unreachable"])),
}
