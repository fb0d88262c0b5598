# SPDX-License-Identifier: Apache-2.0
"""An upload is too large for nginx: it answers 413 and closes (lingering_close) while the client still sends.

Reported: nginx' lingering_close; "413 sometimes, connection reset at other times".
Right: nginx closed with a part of the upload unread: a RST.
"""
from field import *

need("nginx")


def client():
    c = connect(B, 8080)
    c.sendall(b"POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 1000000\r\n\r\n")
    failed = 0
    for _ in range(60):
        failed = error_of(c.sendall, b"x" * 1000)
        if failed:
            break
        time.sleep(0.05)
    c.close()
    return failed


def play(lab):
    lab.pair()
    nginx(lab, "b", 8080, "client_max_body_size 1k; lingering_time 1s; lingering_timeout 1s; server { listen 8080; location / { return 200 ok; } }")
    lab.watch("a")
    lab.watch("b")
    lab.must(lab.actor("a", "fld-cli", client).result() in (errno.EPIPE, errno.ECONNRESET), "not reset")


expect = {
    "a": view(life(f"{B}:8080", "reset-by-peer", process="fld-cli", closed_by="peer", may={"reset-origin": "likely"})),
    "b": view(life(local=":8080", outcome=("reset-by-local", "completed", "aborted"), process="nginx", closed_by="local",
                   may={"reset-origin": "certain"}), may={"stray-segment": "certain"}),
}
