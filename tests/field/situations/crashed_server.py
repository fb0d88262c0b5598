# SPDX-License-Identifier: Apache-2.0
"""A server crashes in the middle of a request (a null pointer): its kernel closes the connection, with the request unread.

Reported: nginx "worker process exited on signal 11", curl (52) and (56).
Right: SIGSEGV ended the process, and unread data made it a RST; the client was reset by its peer. No program called close().
"""
from field import *


def server():
    import resource
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    c = accepted(listen(7518))
    c.recv(1)
    os.kill(os.getpid(), signal.SIGSEGV)


def client():
    c = connect(B, 7518)
    c.sendall(b"hello")
    failed = error_of(c.recv, 1)
    c.close()
    return failed


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7518)
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ECONNRESET, "it was not reset")
    for watch in lab.watches:
        time.sleep(0.3)
        watch.stop()
    lab.actors[0].end()


expect = {
    "a": view(life(f"{B}:7518", "reset-by-peer", process="fld-cli", closed_by="peer", tx=5, rx=0, errno=errno.ECONNRESET, may={"reset-origin": "certain"})),
    "b": view(life(local=":7518", outcome="aborted", process="fld-srv", closed_by="local", rx=5, findings={"reset-origin": "certain"}, says=["SIGSEGV"], never=["close\\(\\) by"])),
}
