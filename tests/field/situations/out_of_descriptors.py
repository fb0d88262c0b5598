# SPDX-License-Identifier: Apache-2.0
"""A server has no descriptor left (EMFILE, "too many open files"): accept() fails, a client's connection waits in the queue; then the server ends.

Reported: nginx and Java servers at their ulimit: "it connects, then nothing".
Right: the connection was made and never accepted; the RST came as the listener closed, and no process chose it for this connection.
"""
import resource

from field import *


def server(done):
    s = listen(7475)
    resource.setrlimit(resource.RLIMIT_NOFILE, (s.fileno() + 1, s.fileno() + 1))
    failed = error_of(s.accept)
    done.wait()
    return failed


def client():
    c = connect(B, 7475)
    c.sendall(b"GET / HTTP/1.0\r\n\r\n")
    c.settimeout(1.2)
    error_of(c.recv, 1)
    asked.set()
    c.settimeout(5)
    failed = error_of(c.recv, 1)
    c.close()
    return failed


asked = Signal()


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    done = Signal()
    serves = lab.server("b", "fld-srv", server, 7475, done)
    waits = lab.actor("a", "fld-cli", client)
    asked.wait()
    done.set()
    lab.must(serves.result() == errno.EMFILE, "accept() did not fail")
    lab.must(waits.result() == errno.ECONNRESET, "it was not reset")


expect = {
    "a": view(life(f"{B}:7475", "reset-by-peer", process="fld-cli", tx=18, rx=0, closed_by="peer", findings={"reset-origin": "likely"})),
    "b": view(life(local=":7475", outcome="reset-by-local", process="fld-srv", tx=0, rx=18, findings={"reset-origin": "certain", "slow-accept": "certain"},
                   says=[r"The listener of fld-srv\[\d+\] closed before accept"])),
}
