# SPDX-License-Identifier: Apache-2.0
"""A process shuts down its reading side (SHUT_RD) and goes on; the peer sends more, and Linux takes it.

Reported: "shutdown(SHUT_RD) does nothing on Linux": no segment tells of it.
Right: nobody closed until close(); then the unread rest makes a RST of it.
"""
from field import *


def server():
    c = accepted(listen(7630))
    c.sendall(read_all(c, 5))
    c.shutdown(socket.SHUT_RD)
    time.sleep(0.3)
    c.sendall(b"still")
    time.sleep(0.2)
    c.close()


def client():
    c = connect(B, 7630)
    c.sendall(b"hello")
    read_all(c, 5)
    time.sleep(0.1)
    c.sendall(b"again")
    read_all(c, 5)
    failed = error_of(c.recv, 1)
    c.close()
    return failed


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7630)
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ECONNRESET, "not reset")


expect = {
    "a": view(life(f"{B}:7630", "reset-by-peer", process="fld-cli", closed_by="peer", tx=10, rx=10, errno=errno.ECONNRESET, may={"reset-origin": "certain"})),
    "b": view(life(local=":7630", outcome="reset-by-local", process="fld-srv", closed_by="local", tx=10, rx=10, findings={"reset-origin": "certain"}, says=["unread"])),
}
