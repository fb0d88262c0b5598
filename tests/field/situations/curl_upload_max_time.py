# SPDX-License-Identifier: Apache-2.0
"""curl gives up an upload after --max-time, while the server does not read and its window is closed.

Reported: curl 28 in uploads: the server later sees a cut body, though curl has closed.
Right: curl closed; data was still unsent, so its kernel goes on sending for it. The server's process does not read.
"""
from field import *

need("curl")


def server(done):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    s.bind(("", 7607))
    s.listen(4)
    c = accepted(s)
    c.recv(100)
    done.wait()
    size = 0
    while chunk := c.recv(65536):
        size += len(chunk)
    c.close()
    return size


def play(lab):
    lab.pair()
    lab.file("big", "x" * 900_000)
    done = Signal()
    lab.watch("a")
    lab.watch("b")
    served = lab.server("b", "fld-srv", server, 7607, done)
    code, _ = curl(lab, "a", "--max-time", "1.5", "-H", "Expect:", "--data-binary", f"@{lab.folder}/big", f"http://{B}:7607/")
    lab.must(code == 28, f"curl ended with {code}")
    done.set()
    lab.must(served.result() > 100_000, "the rest did not come")


expect = {
    "a": view(life(f"{B}:7607", "completed", process="curl", closed_by="local", rx=0, findings={"zero-window": "certain"}, may={"retransmission": "certain"})),
    "b": view(life(local=":7607", outcome="completed", process="fld-srv", closed_by="peer", tx=0, findings={"zero-window": "certain"}, may={"retransmission": "certain"})),
}
