# SPDX-License-Identifier: Apache-2.0
"""The server is stopped (SIGSTOP, a debugger, a frozen cgroup) while a client connects; the client gives up and closes, and the server goes on.

Reported: "connect() succeeds against a hung process"; container pause; lmkd freezer.
Right: the kernel completed the handshake and took the request; the client closed; nobody reset anything, and the server's process served it late.
"""
from field import *


def server():
    s = listen(7512)
    c = accepted(s)
    read_all(c)
    c.close()


def client():
    c = connect(B, 7512)
    c.sendall(b"hello")
    c.settimeout(2.5)
    timed_out = error_of(c.recv, 1)
    c.close()
    return timed_out


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    served = lab.server("b", "fld-srv", server, 7512)
    os.kill(served.pid, signal.SIGSTOP)
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ETIMEDOUT, "it was answered")
    time.sleep(0.3)
    os.kill(served.pid, signal.SIGCONT)
    served.result()


expect = {
    "a": view(life(f"{B}:7512", "completed", process="fld-cli", closed_by="local", tx=5, rx=0, may={"time-wait": "certain"})),
    "b": view(life(local=":7512", outcome="completed", process="fld-srv", closed_by="peer", tx=0, rx=5, findings={"slow-accept": "certain"}, never=["did not read", "reset"])),
}
