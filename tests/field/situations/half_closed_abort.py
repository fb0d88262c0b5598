# SPDX-License-Identifier: Apache-2.0
"""A client shuts its sending side down, reads the whole answer, and then breaks off: the answer is not lost.

Reported: clients with SO_LINGER 0 (load testers, health checks) that send a FIN behind their request.
Right: reset by the client. The answer went into a connection whose other end had closed one direction only, and it was read: the RST
acknowledges it. No write-after-peer-closed.
"""
from field import *

ANSWER = b"the answer"


def server(sent):
    c = accepted(listen(7153))
    for _ in range(12):  # so that the client's TCP delays its ACKs
        c.recv(1)
        c.sendall(b"P")
    read_all(c)
    c.sendall(ANSWER)
    sent.wait()
    time.sleep(0.1)
    c.close()


def client(sent):
    c = connect(B, 7153)
    for _ in range(12):
        c.sendall(b"p")
        c.recv(1)
    c.sendall(b"?")
    c.shutdown(socket.SHUT_WR)
    answer = read_all(c, len(ANSWER))
    abort(c)
    sent.set()
    return answer


def play(lab):
    lab.pair()
    sent = Signal()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7153, sent)
    lab.must(lab.actor("a", "fld-cli", client, sent).result() == ANSWER, "the answer did not come")


expect = {
    "a": view(life(f"{B}:7153", "reset-by-local", process="fld-cli", closed_by="local", rx=12 + len(ANSWER), findings={"reset-origin": "certain"})),
    "b": view(life(local=":7153", outcome="reset-by-peer", process="fld-srv", closed_by="peer", findings={"reset-origin": "certain"}, never=["are lost"])),
}
