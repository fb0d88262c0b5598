# SPDX-License-Identifier: Apache-2.0
"""A socket is handed to another process (SCM_RIGHTS); a thread of that one sets SO_LINGER 0 and closes it. Who handed it over had closed its own descriptor before.

Reported: "who resets my connections?" behind socket activation and privilege separation.
Right: reset by this side, by the process that closed last; its first owner did nothing.
"""
import threading

from field import *


def acceptor(channel):
    s = listen(7304)
    c = accepted(s)
    c.sendall(read_all(c, 5))
    socket.send_fds(channel, [b"x"], [c.fileno()])
    c.close()
    time.sleep(1)


def closer(channel):
    _, descriptors, _, _ = socket.recv_fds(channel, 1, 1)
    time.sleep(0.3)
    thread = threading.Thread(target=lambda: abort(socket.socket(fileno=descriptors[0])))
    thread.start()
    thread.join()
    time.sleep(0.3)


def client():
    c = connect(B, 7304)
    c.sendall(b"hello")
    read_all(c, 5)
    return error_of(c.recv, 1)


def play(lab):
    lab.pair()
    ours, theirs = socket.socketpair()
    lab.watch("a")
    lab.watch("b")
    lab.actor("b", "fld-closer", closer, theirs)
    lab.server("b", "fld-accept", acceptor, 7304, ours)
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ECONNRESET, "it was not reset")


expect = {
    "a": view(life(f"{B}:7304", "reset-by-peer", process="fld-cli", closed_by="peer", tx=5, rx=5, may={"reset-origin": "certain"})),
    "b": view(life(local=":7304", outcome="reset-by-local", closed_by="local", tx=5, rx=5, findings={"reset-origin": "certain"}, says=["fld-closer"],
                   never=["fld-accept(?!ed).*(closed|reset)"])),
}
