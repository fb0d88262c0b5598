# SPDX-License-Identifier: Apache-2.0
"""A client has shut down its side (FIN_WAIT2, the socket still open) and waits for the answer; the server is killed with a part unread.

Reported: kubectl and docker attach: "connection reset by peer" in place of an end.
Right: reset by the peer, behind this side's FIN.
"""
from field import *


def server():
    c = accepted(listen(7644))
    c.recv(5)
    time.sleep(0.4)
    os.kill(os.getpid(), signal.SIGKILL)


def client():
    c = connect(B, 7644)
    c.sendall(b"hello again")
    c.shutdown(socket.SHUT_WR)
    failed = error_of(read_all, c)
    c.close()
    return failed


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7644)
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ECONNRESET, "no reset")


expect = {
    "a": view(life(f"{B}:7644", "reset-by-peer", process="fld-cli", closed_by=("local", "peer").__contains__, errno=errno.ECONNRESET, may={"reset-origin": "certain"})),
    "b": view(life(local=":7644", outcome="aborted", process="fld-srv", says=["SIGKILL|signal 9"], findings={"reset-origin": "certain"}, never=["behind its FIN"])),
}
