# SPDX-License-Identifier: Apache-2.0
"""A client closes with data that its peer's closed window holds back; the server shuts down meanwhile, then reads. The FIN behind the data leaves last.

Reported: "who closed first?" where CLOSING is taken for a simultaneous close.
Right: the client's TCP is in FIN_WAIT1 when the server's FIN comes (CLOSING), but its own FIN leaves behind that and acknowledges it: closed by the server, at both ends.
"""
from field import *


def server(full):
    c = accepted(listen(7272))
    full.wait(20)
    c.shutdown(socket.SHUT_WR)
    time.sleep(0.4)
    read_all(c)
    c.close()


def client(full):
    c = connect(B, 7272)
    c.setblocking(False)
    try:
        while True:
            c.send(b"x" * 65536)
    except BlockingIOError:
        pass
    time.sleep(0.3)
    c.close()
    full.set()


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    full = Signal()
    served = lab.server("b", "fld-srv", server, 7272, full)
    lab.actor("a", "fld-cli", client, full).result()
    served.result()
    lab.must(lab.sockets("b", "state time-wait sport = :7272"), "the server does not wait in TIME_WAIT")


stall = {"zero-window": "certain", "retransmission": "certain"}
expect = {
    "a": view(life(f"{B}:7272", "completed", process="fld-cli", closed_by="peer", may=stall | {"time-wait": "certain"}), may=stall),
    "b": view(life(local=":7272", outcome="completed", process="fld-srv", closed_by="local", may=stall), may=stall),
}
