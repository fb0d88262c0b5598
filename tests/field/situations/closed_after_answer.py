# SPDX-License-Identifier: Apache-2.0
"""A client shuts its sending side down, takes an answer, works on it, and closes; the server closes a moment later.

Reported: nc -N, rsync and HTTP/1.0 clients; "FIN_WAIT2 for as long as the download".
Right: until the client closed the server could still send; it is not certain that anybody waited for its close. Behind that it closed at once.
"""
from field import *


def server(taken):
    c = accepted(listen(7692))
    read_all(c)
    for _ in range(5):
        c.sendall(b"x" * 1000)
        time.sleep(0.1)
    taken.wait()
    time.sleep(0.3)
    c.close()


def client(taken):
    c = connect(B, 7692)
    c.sendall(b"hello")
    c.shutdown(socket.SHUT_WR)
    read_all(c, 5_000)
    time.sleep(3)
    c.close()
    taken.set()


def play(lab):
    lab.pair()
    taken = Signal()
    lab.watch("a", "--stuck-after", 1)
    lab.watch("b", "--stuck-after", 1)
    served = lab.server("b", "fld-srv", server, 7692, taken)
    lab.actor("a", "fld-cli", client, taken).result()
    served.result()


expect = {
    "a": view(life(f"{B}:7692", "completed", process="fld-cli", closed_by="local", tx=5, rx=5_000, may={"peer-not-closing": "likely"})),
    "b": view(life(local=":7692", outcome="completed", process="fld-srv", closed_by="peer", tx=5_000, rx=5, may={"close-wait-stuck": "certain"})),
}
