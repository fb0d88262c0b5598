# SPDX-License-Identifier: Apache-2.0
"""A client pipelines two questions; the server answers the first one with "Connection: close" and closes, the second unread.

Reported: RFC 9112, 9.6; nginx keepalive_requests, Apache MaxKeepAliveRequests: the RST may take the answer with it.
Right: the server's close with unread data made the RST. The client is reset although it was answered.
"""
from field import *


def server():
    c = accepted(listen(7628))
    time.sleep(0.2)
    c.recv(5)
    c.sendall(b"answer")
    c.shutdown(socket.SHUT_WR)
    time.sleep(0.2)
    c.close()


def client():
    c = connect(B, 7628)
    c.sendall(b"first")
    c.sendall(b"again")
    data = read_all(c, 6)
    time.sleep(0.6)
    failed = error_of(c.sendall, b"third")
    c.close()
    return data, failed


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7628)
    lab.must(lab.actor("a", "fld-cli", client).result() == (b"answer", errno.EPIPE), "not reset")


expect = {
    "a": view(life(f"{B}:7628", "reset-by-peer", process="fld-cli", closed_by="peer", tx=10, rx=6, errno=errno.EPIPE, may={"reset-origin": "certain"}, never=["wrote after"])),
    "b": view(life(local=":7628", outcome="reset-by-local", process="fld-srv", closed_by="local", tx=6, rx=10, findings={"reset-origin": "certain"}, says=["unread"])),
}
