# SPDX-License-Identifier: Apache-2.0
"""A server is stopped (SIGSTOP) with connections in its queue: they are established, asked and given up by their client; then it goes on.

Reported: "connection established but no response", frozen containers, gunicorn's workers.
Right: the client closed; the server accepted late what was over. No segment was lost.
"""
from field import *


def server():
    s = listen(7631)
    for _ in range(2):
        c = accepted(s)
        data = read_all(c)
        error_of(c.sendall, data)
        c.close()


def client():
    c = connect(B, 7631, timeout=1)
    c.sendall(b"hello")
    failed = error_of(read_all, c, 5)
    c.close()
    return failed


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    served = lab.server("b", "fld-srv", server, 7631)
    served.kill(signal.SIGSTOP)
    for _ in range(2):
        lab.must(lab.actor("a", "fld-cli", client).result() == errno.ETIMEDOUT, "it was answered")
    served.kill(signal.SIGCONT)
    served.result()


expect = {
    "a": view(life(f"{B}:7631", ("completed", "reset-by-local"), process="fld-cli", closed_by="local", tx=5, rx=0, count=2, may={"reset-origin": "certain"})),
    "b": view(life(local=":7631", outcome=("completed", "reset-by-peer"), process="fld-srv", closed_by="peer", rx=5, count=2, findings={"slow-accept": "certain"},
                   may={"write-after-peer-closed": "certain", "reset-origin": "likely", "close-wait-stuck": "certain"})),
}
