# SPDX-License-Identifier: Apache-2.0
"""A relay waits half a second for the other direction after one has closed (socat -t), and the answer takes a second.

Reported: socat's -t; "the end of the answer is missing when stdin closes".
Right: the relay closed its connection to the server although that had not closed, and the server's answer met no reader: at the server a reset by the peer.
"""
from field import *

need("socat")


def server():
    c = accepted(listen(7516))
    read_all(c)
    time.sleep(1)
    failed = error_of(c.sendall, b"answer")
    time.sleep(0.3)
    failed = failed or error_of(c.sendall, b"answer")
    c.close()
    return failed


def client():
    c = connect(B, 7517)
    c.sendall(b"question")
    c.shutdown(socket.SHUT_WR)
    got = read_all(c)
    c.close()
    return len(got)


def play(lab):
    lab.pair()
    served = lab.server("a", "fld-srv", server, 7516)
    lab.program("b", "socat", "-t", "0.5", "TCP-LISTEN:7517,reuseaddr", "TCP:10.9.0.1:7516", port=7517)
    lab.watch("a")
    lab.watch("b")
    lab.must(lab.actor("a", "fld-cli", client).result() == 0, "the answer came")
    lab.must(served.result() == errno.EPIPE, "the answer was taken")


may = {"time-wait": "certain", "reset-origin": "certain"}
expect = {
    "a": view(life(local=":7516", outcome="reset-by-peer", process="fld-srv", closed_by="peer", rx=8, findings={"write-after-peer-closed": "certain"}, may={**may}),
              life(f"{B}:7517", "completed", process="fld-cli", closed_by="local", tx=8, rx=0, may=may)),
    "b": view(life(f"{A}:7516", "reset-by-local", process="socat", closed_by="local", tx=8, may={**may, "data-after-close": "certain"}),
              life(local=":7517", outcome="completed", process="socat", closed_by="peer", rx=8, tx=0, may=may)),
}
