# SPDX-License-Identifier: Apache-2.0
"""The server takes no further subflow of an MPTCP connection: its kernel answers the last ACK of the MP_JOIN's handshake with a RST.

Reported: `ip mptcp limits set subflow 0` on one side only; subflows that are gone at once.
Right: at the server this machine's TCP reset it, with the kernel's own reason; nothing is unknown. The connection itself goes on.
"""
from field import *
from two_subflows import mp_connect, mp_listen, two_links

need("mptcp")


def server():
    l = mp_listen(7941)
    c = accepted(l)
    read_all(c)
    c.close()
    l.close()


def client():
    c = mp_connect(7941)
    c.sendall(b"hello")
    time.sleep(0.5)
    c.close()
    time.sleep(0.3)


def play(lab):
    two_links(lab)
    lab.shell("b", "ip mptcp limits set subflow 0 add_addr_accepted 0")
    lab.shell("a", "ip mptcp endpoint add 10.9.1.1 dev to-b2 subflow")
    lab.ip("a", "route add 10.9.0.2/32 via 10.9.1.2 src 10.9.1.1 table 7")
    lab.ip("a", "rule add from 10.9.1.1 lookup 7")
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-msrv", server, 7941)
    lab.actor("a", "fld-mcli", client).result()


expect = {"a": view(life("10.9.0.2:7941", "completed", process="fld-mcli", local="10.9.0.1", role="active", closed_by="local"),
                    life("10.9.0.2:7941", "reset-by-peer", local="10.9.1.1", role="active", closed_by="peer", may={"reset-origin": "likely"})),
          "b": view(life("10.9.0.1", local="10.9.0.2:7941", outcome="completed", process="fld-msrv", role="passive", closed_by="peer"),
                    life("10.9.1.1", local="10.9.0.2:7941", outcome="reset-by-local", role="passive", closed_by="local", findings={"reset-origin": "certain"}, says=["MPTCP_RST_EPROHIBIT"]))}
