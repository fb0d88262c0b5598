# SPDX-License-Identifier: Apache-2.0
"""Client and server on one machine (loopback): the server closes with data unread.

Reported: sidecars and local databases: "connection reset by peer", and the peer is next door.
Right: two ends, each with its process; the client's finding names the process whose kernel sent the RST.
"""
from field import *


def server(go):
    s = listen(7093, "127.0.0.1")
    c = accepted(s)
    go.wait()
    c.close()


def client(go):
    c = connect("127.0.0.1", 7093)
    c.sendall(b"x" * 4096)
    go.set()
    failed = error_of(c.recv, 1)
    c.close()
    return failed


def play(lab):
    lab.netns("a")
    go = Signal()
    lab.watch("a")
    lab.server("a", "fld-srv", server, 7093, go)
    lab.must(lab.actor("a", "fld-cli", client, go).result() == errno.ECONNRESET, "no reset")


expect = {"a": view(
    life("127.0.0.1:7093", "reset-by-peer", process="fld-cli", role="active", closed_by="peer", tx=4096, rx=0, findings={"reset-origin": "certain"}, says=["fld-srv"]),
    life(local="127.0.0.1:7093", outcome="reset-by-local", process="fld-srv", role="passive", closed_by="local", tx=0, rx=4096, findings={"reset-origin": "certain"}))}
