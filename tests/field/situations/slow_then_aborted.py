# SPDX-License-Identifier: Apache-2.0
"""A client breaks off (SO_LINGER 0) a connection whose answer took its time.

Right: the wait for the answer is known of this connection as of any other: it is in `phases`, and `--slower-than` shows it.
"""
from field import *


def server():
    c = accepted(listen(7866))
    request = read_all(c, 5)
    time.sleep(0.6)
    c.sendall(request)
    error_of(read_all, c)
    c.close()


def client():
    c = connect(B, 7866)
    c.sendall(b"hello")
    read_all(c, 5)
    abort(c)


def play(lab):
    lab.pair()
    lab.watch("a", "--slower-than", "300ms")
    serves = lab.server("b", "fld-srv", server, 7866)
    lab.actor("a", "fld-cli", client).result()
    serves.result()


expect = {"a": view(life(f"{B}:7866", "reset-by-local", process="fld-cli", closed_by="local", tx=5, rx=5, findings={"reset-origin": "certain"}))}
