# SPDX-License-Identifier: Apache-2.0
"""HAProxy with `option nolinger` on its frontend: each close is a RST, which can overtake what the client has not read yet.

Reported: haproxy's own warning about nolinger; truncated answers, "connection reset by peer" on clients that saw all of the answer.
Right: HAProxy's process broke the connections off; the server behind it closed in order.
"""
from field import *

need("haproxy", "nginx")


def client():
    c = connect(B, 8000)
    c.sendall(b"GET / HTTP/1.0\r\nHost: b\r\n\r\n")
    time.sleep(0.5)
    failed = error_of(read_all, c)
    c.close()
    return failed


def play(lab):
    lab.pair()
    nginx(lab, "b", 8080, "server { listen 8080; location / { return 200 hello; } }")
    haproxy(lab, "b", 8000, """defaults
    mode http
    timeout client 5s
    timeout server 5s
    timeout connect 2s
frontend f
    bind :8000
    option nolinger
    default_backend n
backend n
    server n 127.0.0.1:8080
""")
    lab.watch("a")
    lab.watch("b")
    lab.must(lab.actor("a", "fld-cli", client).result() in (0, errno.ECONNRESET), "something else")


expect = {
    "a": view(life(f"{B}:8000", "reset-by-peer", process="fld-cli", closed_by="peer", may={"reset-origin": "certain"})),
    "b": view(life(local=f"{B}:8000", outcome="reset-by-local", process="haproxy", closed_by="local", findings={"reset-origin": "certain"},
                   never=["unread"]),
              life("127.0.0.1:8080", ("completed", "reset-by-local", "open"), process="haproxy", may={"reset-origin": "certain"}),
              life(local="127.0.0.1:8080", outcome=("completed", "reset-by-peer", "open"), process="nginx", may={"reset-origin": "certain"})),
}
