# SPDX-License-Identifier: Apache-2.0
"""An administrator removes the address of a subflow (`ip mptcp endpoint delete`) while the MPTCP connection goes on.

Right: the subflow is closed in order by the side that lost the address; the connection goes on with the other one.
"""
from field import *
from two_subflows import mp_connect, mp_listen, two_links

need("mptcp")


def server():
    l = mp_listen(7942)
    c = accepted(l)
    n = len(read_all(c))
    c.close()
    l.close()
    return n


def client():
    c = mp_connect(7942)
    for _ in range(12):
        c.sendall(b"m" * 10000)
        time.sleep(0.1)
    c.close()
    time.sleep(0.3)


def play(lab):
    two_links(lab)
    lab.shell("b", "ip mptcp endpoint add 10.9.1.2 dev to-a2 signal id 5")
    lab.watch("a")
    lab.watch("b")
    s = lab.server("b", "fld-msrv", server, 7942)
    a = lab.actor("a", "fld-mcli", client)
    time.sleep(0.5)
    lab.shell("b", "ip mptcp endpoint delete id 5")
    a.result()
    lab.must(s.result() == 120000, "not all of it came")


expect = {"a": view(life("10.9.0.2:7942", "completed", process="fld-mcli", role="active", closed_by="local"),
                    life("10.9.1.2:7942", "completed", role="active", closed_by="peer")),
          "b": view(life(local="10.9.0.2:7942", outcome="completed", process="fld-msrv", role="passive", closed_by="peer"),
                    life(local="10.9.1.2:7942", outcome="completed", role="passive", closed_by="local"))}
