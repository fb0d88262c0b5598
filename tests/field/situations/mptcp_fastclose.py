# SPDX-License-Identifier: Apache-2.0
"""A process breaks off an MPTCP connection of two subflows (SO_LINGER 0): MP_FASTCLOSE and a RST on each.

Right: both subflows are reset by the client.
"""
from field import *
from two_subflows import mp_connect, mp_listen, two_links

need("mptcp")


def server():
    l = mp_listen(7940)
    c = accepted(l)
    c.recv(5)
    failed = error_of(c.recv, 5)
    c.close()
    l.close()
    return failed


def client():
    c = mp_connect(7940)
    c.sendall(b"hello")
    time.sleep(0.5)
    abort(c)
    time.sleep(0.3)


def play(lab):
    two_links(lab)
    lab.shell("b", "ip mptcp endpoint add 10.9.1.2 dev to-a2 signal")
    lab.watch("a")
    lab.watch("b")
    s = lab.server("b", "fld-msrv", server, 7940)
    lab.actor("a", "fld-mcli", client).result()
    lab.must(s.result() == errno.ECONNRESET, f"{s.result()}")


expect = {"a": view(life("10.9.0.2:7940", "reset-by-local", process="fld-mcli", role="active", closed_by="local", findings={"reset-origin": "certain"}),
                    life("10.9.1.2:7940", "reset-by-local", role="active", closed_by="local", findings={"reset-origin": "certain"})),
          "b": view(life(local="10.9.0.2:7940", outcome="reset-by-peer", process="fld-msrv", role="passive", closed_by="peer", may={"reset-origin": "certain"}),
                    life(local="10.9.1.2:7940", outcome="reset-by-peer", role="passive", closed_by="peer", may={"reset-origin": "certain"}))}
