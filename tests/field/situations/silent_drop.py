# SPDX-License-Identifier: Apache-2.0
"""haproxy rejects a client by silent-drop: it lets the kernel forget the socket (TCP_REPAIR) and sends nothing.

Reported: haproxy's users who wonder where their tarpitted clients' connections went.
Right: haproxy closed, and nothing was sent to the peer. The client's next segment finds no connection, and only that is answered by a RST.
"""
from field import *

need("haproxy")
CONFIG = """defaults
  mode tcp
  timeout connect 5s
  timeout client 20s
  timeout server 9s
listen l
  bind :8000
  tcp-request content silent-drop
  server s 10.9.0.2:7206
"""


def client():
    c = connect(B, 8000)
    time.sleep(0.3)
    error_of(c.sendall, b"GET / HTTP/1.0\r\n\r\n")
    failed = error_of(c.recv, 1)
    c.close()
    return failed


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    haproxy(lab, "b", 8000, CONFIG)
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ECONNRESET, "it was not reset")


expect = {
    "a": view(life(f"{B}:8000", "reset-by-peer", process="fld-cli", rx=0, closed_by="peer", findings={"reset-origin": "likely"})),
    "b": view(life(local=":8000", outcome="unknown", process="haproxy", tx=0, rx=0, says=["repair mode"]), findings={"stray-segment": "likely"}),
}
