# SPDX-License-Identifier: Apache-2.0
"""nginx with reset_timedout_connection gives up a client that does not read (send_timeout): SO_LINGER 0 and close(), a RST.

Right: nginx broke it off with data unsent, behind a window that the client had closed.
"""
from field import *

need("nginx")


def client():
    c = socket.socket()
    c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8000)
    c.settimeout(10)
    c.connect((B, 8080))
    c.sendall(b"GET /big HTTP/1.1\r\nHost: b\r\n\r\n")
    time.sleep(2.5)
    failed = error_of(read_all, c)
    c.close()
    return failed


def play(lab):
    lab.pair()
    lab.file("big", "x" * 3_000_000)
    nginx(lab, "b", 8080, f"send_timeout 1s; reset_timedout_connection on; server {{ listen 8080; location / {{ root {lab.folder}; }} }}")
    lab.watch("a")
    lab.watch("b")
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ECONNRESET, "not reset")


expect = {
    "a": view(life(f"{B}:8080", "reset-by-peer", process="fld-cli", closed_by="peer", findings={"zero-window": "certain"},
                   may={"reset-origin": "certain", "retransmission": "certain"})),
    "b": view(life(local=":8080", outcome="reset-by-local", process="nginx", closed_by="local",
                   findings={"zero-window": "certain", "reset-origin": "certain"}, may={"retransmission": "certain"}, never=["unread"])),
}
