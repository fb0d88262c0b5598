# SPDX-License-Identifier: Apache-2.0
"""A client reuses an HTTP connection that nginx has closed a moment ago (keepalive_timeout 1 s).

Reported: node 47130, 52649, 35526; agentkeepalive 23; cpp-httplib 1282: "connection reset by peer" now and then.
Right: nginx' FIN came; the client wrote behind it and was reset. At the client: it wrote after the peer had closed. nginx' end closed in order, and
may say what the client did.
"""
from field import *

need("nginx")
REQUEST = b"GET / HTTP/1.1\r\nHost: b\r\n\r\n"


def client():
    c = connect(B, 8080)
    c.sendall(REQUEST)
    c.recv(1000)
    time.sleep(1.6)
    c.sendall(REQUEST)
    time.sleep(0.1)
    failed = error_of(c.sendall, REQUEST)
    c.close()
    return failed


def play(lab):
    lab.pair()
    nginx(lab, "b", 8080, "keepalive_timeout 1s; server { listen 8080; location / { return 200 'ok'; } }")
    lab.watch("a")
    lab.watch("b")
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.EPIPE, "the second request was not reset")


expect = {
    "a": view(life(f"{B}:8080", "reset-by-peer", process="fld-cli", closed_by="peer", findings={"write-after-peer-closed": "certain"},
                   may={"reset-origin": "certain"}, never=["half-open"])),
    "b": view(life(local=":8080", outcome=("completed", "reset-by-local"), process="nginx", closed_by="local", may={"reset-origin": "certain", "time-wait": "certain", "write-after-peer-closed": "certain"}),
              may={"stray-segment": "certain"}),
}
