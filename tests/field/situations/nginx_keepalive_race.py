# SPDX-License-Identifier: Apache-2.0
"""A client asks again on a kept connection that nginx has just closed (keepalive_timeout).

Reported: nginx 303, ingress-nginx 11244, node 20256: "connection reset by peer" now and then, on idle connections only.
Right: nginx closed first, and had read everything; the client wrote after that, and was reset for it.
"""
from field import *

need("nginx")
ASK = b"GET / HTTP/1.1\r\nHost: b\r\n\r\n"


def client():
    c = connect(B, 8080)
    c.sendall(ASK)
    c.recv(4096)
    time.sleep(1.6)
    failed = error_of(c.sendall, ASK)
    time.sleep(0.2)
    left = error_of(c.sendall, ASK)
    c.close()
    return failed, left


def play(lab):
    lab.pair()
    nginx(lab, "b", 8080, "keepalive_timeout 1s; server { listen 8080; location / { return 200 hello; } }")
    lab.watch("a")
    lab.watch("b")
    lab.must(lab.actor("a", "fld-cli", client).result() == (0, errno.EPIPE), "no broken pipe")


expect = {
    "a": view(life(f"{B}:8080", "reset-by-peer", process="fld-cli", closed_by="peer", errno=errno.EPIPE, findings={"write-after-peer-closed": "certain"},
                   may={"reset-origin": "certain"}, never=["crash"])),
    "b": view(life(local=":8080", outcome=("completed", "reset-by-local"), process="nginx", closed_by="local", may={"reset-origin": "certain", "data-after-close": "certain"},
                   never=["unread"])),
}
