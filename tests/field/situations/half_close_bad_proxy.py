# SPDX-License-Identifier: Apache-2.0
"""A proxy takes a client's half-close for the end and closes both of its sockets; the server's answer comes later.

Reported: moby 27539 (docker-proxy and half-closed connections), many home-made relays.
Right: the proxy ended both connections: with a FIN, and with a RST for the answer that came after it. The client got nothing, and no error.
"""
from field import *


def server():
    c = accepted(listen(7207))
    data = read_all(c)
    time.sleep(0.4)
    failed = error_of(c.sendall, data.upper())
    time.sleep(0.2)
    failed = failed or error_of(c.sendall, b"more")
    c.close()
    return failed


def proxy():
    front = accepted(listen(8001))
    back = connect(B, 7207)
    while data := front.recv(4096):
        back.sendall(data)
    front.close()
    back.close()
    time.sleep(1.2)


def client():
    c = connect(A, 8001)
    c.sendall(b"request")
    c.shutdown(socket.SHUT_WR)
    data = read_all(c)
    c.close()
    return data


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    serving = lab.server("b", "fld-srv", server, 7207)
    lab.server("a", "fld-proxy", proxy, 8001)
    lab.must(lab.actor("a", "fld-cli", client).result() == b"", "an answer came")
    lab.must(serving.result() in (errno.EPIPE, errno.ECONNRESET), "the proxy took the answer")


expect = {
    "a": view(life(f"{A}:8001", "completed", process="fld-cli", role="active", closed_by="local", tx=7, rx=0),
              life(local=":8001", outcome="completed", process="fld-proxy", role="passive", closed_by="peer", tx=0, rx=7),
              life(f"{B}:7207", "reset-by-local", process="fld-proxy", role="active", closed_by="local", tx=7, rx=0, findings={"reset-origin": "certain"})),
    "b": view(life(local=":7207", outcome="reset-by-peer", process="fld-srv", role="passive", closed_by="peer", rx=7,
                   findings={"write-after-peer-closed": "certain"}, may={"reset-origin": "certain"})),
}
