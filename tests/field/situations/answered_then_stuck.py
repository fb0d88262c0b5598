# SPDX-License-Identifier: Apache-2.0
"""The server answers behind the client's FIN at once, and closes only six seconds later. Another one streams as long.

Reported: proxies that answer a half-closed client and then leak the connection in CLOSE_WAIT.
Right: one byte behind the FIN does not make the wait a stream: the first is stuck, while it lasts and at its end; the second is not.
"""
from field import *


def server(port, streams):
    c = accepted(listen(port))
    read_all(c)
    c.sendall(b"the answer")
    for _ in range(12):
        time.sleep(0.5)
        if streams:
            c.sendall(b"more")
    c.close()


def client(port):
    c = connect(B, port)
    c.sendall(b"get")
    c.shutdown(socket.SHUT_WR)
    read_all(c)
    c.close()


def play(lab):
    lab.pair()
    lab.watch("b", "--stuck-after", "2")
    lab.watch("b", "--stuck-after", "2", "--wire", "none", name="kernel")
    serving = [lab.server("b", "fld-srv", server, port, port, port == 7503) for port in (7502, 7503)]
    for port in (7502, 7503):
        lab.actor("a", "fld-cli", client, port)
    for one in serving:
        one.result()


def told_at_its_end(found):
    """with close-wait-stuck"""
    return "close-wait-stuck" in found


stuck = life(local=":7502", outcome="completed", process="fld-srv", closed_by="peer", findings={"close-wait-stuck": "certain"})
stuck.facts["findings"] = told_at_its_end
streams = life(local=":7503", outcome="completed", process="fld-srv", closed_by="peer")
expect = {"b": view(stuck, streams), "kernel": view(stuck, streams)}
