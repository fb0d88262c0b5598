# SPDX-License-Identifier: Apache-2.0
"""`ss -K` removes a connection that waits in FIN_WAIT2 for a peer that does not close; then the peer writes.

Reported: scripts that clean up "stuck" FIN-WAIT-2 sockets by hand; afterwards the server logs broken pipes.
Right: the socket was gone long before the kernel's time for it (60 s) was over: no timeout. What the peer sent found none, and got a RST.
"""
from field import *


def server(go):
    c = accepted(listen(7471))
    read_all(c)
    go.wait()
    failed = error_of(c.sendall, b"x")
    time.sleep(0.1)
    failed = failed or error_of(c.sendall, b"x")
    c.close()
    return failed


def client():
    c = connect(B, 7471)
    c.sendall(b"bye")
    c.close()


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    go = Signal()
    serves = lab.server("b", "fld-srv", server, 7471, go)
    lab.actor("a", "fld-cli", client).result()
    until(lambda: lab.sockets("a", "state fin-wait-2 dport = :7471"), 5, "FIN_WAIT2")
    lab.shell("a", "ss -K -tn state fin-wait-2 dport = :7471")
    until(lambda: not lab.sockets("a", "dport = :7471", "-a"), 5, "no socket")
    go.set()
    lab.must(serves.result() == errno.EPIPE, "its data was taken")


expect = {
    "a": view(life(f"{B}:7471", "reset-by-local", process="fld-cli", closed_by="local", tx=3, findings={"reset-origin": "certain"},
                   duration_ns=lambda ns: ns < 5_000_000_000, never=["time was up"], says=["gone before its time"])),
    "b": view(life(local=":7471", outcome="reset-by-peer", process="fld-srv", closed_by="peer", errno=errno.EPIPE,
                   findings={"reset-origin": "likely", "write-after-peer-closed": "certain"})),
}
