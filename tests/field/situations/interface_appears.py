# SPDX-License-Identifier: Apache-2.0
"""An interface appears while the tracer runs, and is used at once (a container starts).

Reported: every container's first connections; short scripts had no wire at all in 2 of 3 cases.
Right: the connection has both witnesses from its first SYN.
"""
from field import *


def server():
    c = accepted(listen(7032))
    c.sendall(read_all(c, 5))
    c.recv(1)
    c.close()


def client():
    c = connect(B, 7032)
    c.sendall(b"hello")
    c.recv(10)
    c.close()


def play(lab):
    lab.netns("a", "b")
    lab.watch("a")
    lab.link("a", "10.9.0.1/24", "b", "10.9.0.2/24")
    lab.server("b", "fld-srv", server, 7032)
    lab.actor("a", "fld-cli", client)


expect = {"a": view(life(f"{B}:7032", "completed", process="fld-cli", tx=5, rx=5, witnesses=["kernel", "wire"], wire__complete=True))}
