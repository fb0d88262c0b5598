# SPDX-License-Identifier: Apache-2.0
"""`nc -l` takes one connection and closes its listener; a second client is refused while the first one is served.

Right: a refused connection beside one that completes; the refusal is no fault of the first one, and nobody crashed.
"""
from field import *

need("socat")


def client():
    c = connect(B, 7842)
    c.sendall(b"hello")
    read_all(c, 5)
    refused = error_of(connect, B, 7842)
    c.close()
    return refused


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    lab.program("b", "socat", "TCP-LISTEN:7842", "EXEC:cat", port=7842)
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ECONNREFUSED, "it was taken")


expect = {
    "a": view(life(f"{B}:7842", "completed", process="fld-cli", tx=5, rx=5), life(f"{B}:7842", "refused", process="fld-cli",
                   may={"reset-origin": "certain"})),
    "b": view(life(local=":7842", outcome="completed", process="socat", tx=5, rx=5), findings={"stray-segment": "certain"}, others=("refused",)),
}
