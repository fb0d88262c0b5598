# SPDX-License-Identifier: Apache-2.0
"""A client closes while its answer is awaited, and HAProxy with "option abortonclose" gives the server up at once.

Reported: haproxy 1505: the client sends a FIN, the server gets a RST.
Right: the client closed first; towards the server HAProxy ended the connection.
"""
from field import *

need("haproxy")
CONFIG = """
defaults
  mode http
  option abortonclose
  timeout connect 2s
  timeout client 10s
  timeout server 10s
frontend f
  bind :7662
  default_backend b
backend b
  server s 10.9.0.1:7663
"""


def server():
    c = accepted(listen(7663))
    c.recv(1000)
    failed = error_of(c.recv, 1)
    c.close()
    return failed


def client():
    c = connect(B, 7662)
    c.sendall(b"GET / HTTP/1.1\r\nHost: b\r\n\r\n")
    time.sleep(0.4)
    c.close()


def play(lab):
    lab.pair()
    served = lab.server("a", "fld-srv", server, 7663)
    proxy = haproxy(lab, "b", 7662, CONFIG)
    lab.watch("a")
    lab.watch("b")
    lab.actor("a", "fld-cli", client).result()
    served.result()
    time.sleep(0.2)
    proxy.terminate()
    lab.output(proxy)


may = {"reset-origin": "certain", "write-after-peer-closed": "certain", "data-after-close": "certain"}
expect = {
    "a": view(life(f"{B}:7662", ("completed", "reset-by-local", "reset-by-peer"), process="fld-cli", closed_by="local", may=may),
              life(local=":7663", outcome=("completed", "reset-by-peer"), process="fld-srv", closed_by="peer", may=may)),
    "b": view(life(local=":7662", outcome=("completed", "reset-by-peer", "reset-by-local"), process="haproxy", closed_by="peer", may=may),
              life(f"{A}:7663", ("completed", "reset-by-local"), process="haproxy", closed_by="local", may=may)),
}
