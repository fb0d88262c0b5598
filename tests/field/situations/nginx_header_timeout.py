# SPDX-License-Identifier: Apache-2.0
"""A client sends half a request and waits (slowloris): nginx closes after client_header_timeout.

Reported: nginx client_header_timeout, "client timed out (110) while reading client request headers".
Right: nginx's worker closed first, in order; the client had nothing to reset. Both directions' bytes are known.
"""
from field import *

need("nginx")


def client():
    c = connect(B, 8081)
    c.sendall(b"GET / HTTP/1.1\r\nHost: b\r\n")
    read_all(c)
    c.close()


def play(lab):
    lab.pair()
    nginx(lab, "b", 8081, "client_header_timeout 1s; server { listen 8081; return 200 ok; }")
    lab.watch("a")
    lab.watch("b")
    lab.actor("a", "fld-cli", client).result()


expect = {
    "a": view(life(f"{B}:8081", "completed", process="fld-cli", closed_by="peer", tx=25)),
    "b": view(life(local=":8081", outcome="completed", process="nginx", closed_by="local", rx=25, may={"time-wait": "certain"})),
}
